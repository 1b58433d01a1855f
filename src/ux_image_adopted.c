
/*
 * Copyright (C) the nginx-ux authors
 *
 * Whom a zone has merged.  Files of theirs may be there still, or again, and
 * must not count twice; so the list goes into every image, and who merges that
 * takes it over.
 *
 * It has room for a few.  `order` tells which one goes: the oldest of those of
 * which no more is to come.  What an image brings along is older than who
 * brings it; next to what we know ourselves its newest is as old as our
 * newest, the one before as the one before, so that of two lines of servers
 * the last ones of both are kept.
 *
 * An entry is written with its uuid last, and taken away with it first: a
 * process may be killed anywhere.
 */

#include "ux_image_private.h"

#include <string.h>


/* What an image brings along has orders below those that are given here. */
#define UX_ADOPTED_FIRST  (1ull << 32)


static ux_adopted_t *ux_adopted_room(const ux_store_t *store,
    const ux_adopted_t *keep);
static void ux_adopted_put(ux_adopted_t *at, const uint8_t uuid[16],
    uint64_t next, uint64_t order);
static uint64_t ux_adopted_newest(const ux_store_t *store);
static void ux_adopted_pass(const ux_store_t *store,
    const ux_adopted_t *keep, const uint8_t uuid[16], uint64_t next,
    uint64_t order);


static const uint8_t  ux_adopted_nobody[16];


ux_adopted_t *
ux_image_adopted_find(const ux_store_t *store, const uint8_t uuid[16])
{
    unsigned       i;
    ux_adopted_t  *adopted;

    adopted = store->head->adopted;

    for (i = 0; i < UX_ADOPTED_MAX; i++) {
        if (memcmp(adopted[i].uuid, uuid, 16) == 0) {
            return &adopted[i];
        }
    }

    return NULL;
}


ux_adopted_t *
ux_image_adopted_add(ux_store_t *store, const uint8_t uuid[16],
    uint64_t images)
{
    uint64_t       order;
    ux_adopted_t  *adopted;

    order = ux_adopted_newest(store) + 1;
    adopted = ux_adopted_room(store, NULL);

    ux_adopted_put(adopted, uuid, 0, order);
    adopted->images = images;

    return adopted;
}


/* A free one, else that of the oldest; never `keep`. */
static ux_adopted_t *
ux_adopted_room(const ux_store_t *store, const ux_adopted_t *keep)
{
    bool           done, best_done;
    unsigned       i;
    ux_adopted_t  *adopted, *best;

    best = ux_image_adopted_find(store, ux_adopted_nobody);

    if (best != NULL) {
        return best;
    }

    best_done = false;

    for (i = 0; i < UX_ADOPTED_MAX; i++) {
        adopted = &store->head->adopted[i];
        done = adopted->next == UX_ADOPTED_DONE;

        if (adopted != keep
            && (best == NULL || done > best_done
                || (done == best_done && adopted->order < best->order)))
        {
            best = adopted;
            best_done = done;
        }
    }

    return best;
}


static void
ux_adopted_put(ux_adopted_t *at, const uint8_t uuid[16], uint64_t next,
    uint64_t order)
{
    memset(at->uuid, 0, 16);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    at->next = next;
    at->images = 0;
    at->order = order;

    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(at->uuid, uuid, 16);
}


static uint64_t
ux_adopted_newest(const ux_store_t *store)
{
    unsigned             i;
    uint64_t             newest;
    const ux_adopted_t  *adopted;

    newest = UX_ADOPTED_FIRST;

    for (i = 0; i < UX_ADOPTED_MAX; i++) {
        adopted = &store->head->adopted[i];

        if (memcmp(adopted->uuid, ux_adopted_nobody, 16) != 0
            && adopted->order > newest)
        {
            newest = adopted->order;
        }
    }

    return newest;
}


void
ux_image_adopted_pass(ux_store_t *store, const ux_adopted_t *keep,
    const ux_image_info_t *info)
{
    unsigned       i, k, n;
    uint64_t       order, orders[UX_ADOPTED_MAX];
    ux_adopted_t  *list[UX_ADOPTED_MAX];

    n = 0;

    for (i = ux_image_adopted_list(store, list); i > 0; i--) {
        if (list[i - 1] != keep) {
            orders[n++] = list[i - 1]->order;
        }
    }

    order = UX_ADOPTED_FIRST;

    for (k = 0; k < info->nadopted; k++) {
        i = info->nadopted - 1 - k;
        order = k < n ? orders[k] : order - 1;

        ux_adopted_pass(store, keep, info->adopted[i],
                        info->based >> i & 1 ? UX_ADOPTED_BASE
                                             : UX_ADOPTED_DONE, order);
    }
}


void
ux_image_adopted_done(ux_store_t *store, ux_adopted_t *adopted)
{
    adopted->order = ux_adopted_newest(store) + 1;
    __atomic_store_n(&adopted->next, UX_ADOPTED_DONE, __ATOMIC_RELEASE);
}


/* What we hold as of a base it may have got all of since. */
static void
ux_adopted_pass(const ux_store_t *store, const ux_adopted_t *keep,
    const uint8_t uuid[16], uint64_t next, uint64_t order)
{
    ux_adopted_t  *adopted;

    adopted = ux_image_adopted_find(store, uuid);

    if (adopted != NULL) {

        if (next == UX_ADOPTED_DONE && (adopted->next & UX_ADOPTED_BASE)) {
            __atomic_store_n(&adopted->next, next, __ATOMIC_RELEASE);
        }

        return;
    }

    adopted = ux_adopted_room(store, keep);

    /* is it the oldest itself? */

    if (memcmp(adopted->uuid, ux_adopted_nobody, 16) != 0
        && next == UX_ADOPTED_DONE
        && (adopted->next != UX_ADOPTED_DONE || adopted->order >= order))
    {
        return;
    }

    ux_adopted_put(adopted, uuid, next, order);
}


unsigned
ux_image_adopted_list(const ux_store_t *store,
    ux_adopted_t *list[UX_ADOPTED_MAX])
{
    unsigned       i, k, n;
    ux_adopted_t  *adopted;

    n = 0;

    for (i = 0; i < UX_ADOPTED_MAX; i++) {
        adopted = &store->head->adopted[i];

        if (memcmp(adopted->uuid, ux_adopted_nobody, 16) == 0) {
            continue;
        }

        for (k = n++; k > 0 && list[k - 1]->order > adopted->order; k--) {
            list[k] = list[k - 1];
        }

        list[k] = adopted;
    }

    return n;
}


bool
ux_image_hold(ux_store_t *store, const uint8_t uuid[16])
{
    if (!ux_image_adopted(store, uuid)) {
        return false;
    }

    __atomic_store_n(&ux_image_adopted_find(store, uuid)->next,
                     UX_ADOPTED_BASE, __ATOMIC_RELEASE);

    return true;
}


void
ux_image_let_go(ux_store_t *store, const uint8_t uuid[16])
{
    if (ux_image_held(store, uuid)) {
        __atomic_store_n(&ux_image_adopted_find(store, uuid)->next,
                         UX_ADOPTED_DONE, __ATOMIC_RELEASE);
    }
}


bool
ux_image_held(const ux_store_t *store, const uint8_t uuid[16])
{
    uint64_t             next;
    const ux_adopted_t  *adopted;

    adopted = ux_image_adopted_find(store, uuid);
    next = adopted == NULL ? 0 : __atomic_load_n(&adopted->next,
                                                 __ATOMIC_ACQUIRE);

    return next != UX_ADOPTED_DONE && (next & UX_ADOPTED_BASE);
}


bool
ux_image_adopted(const ux_store_t *store, const uint8_t uuid[16])
{
    const ux_adopted_t  *adopted;

    adopted = ux_image_adopted_find(store, uuid);

    return adopted != NULL
           && __atomic_load_n(&adopted->next, __ATOMIC_ACQUIRE)
              == UX_ADOPTED_DONE;
}
