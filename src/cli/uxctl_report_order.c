
/*
 * Copyright (C) the nginx-ux authors
 *
 * Which incarnations of a zone are added up, and in what order.
 *
 * One that has taken another over says so: the other's files are passed over.
 * One that holds another as of a base has what that had counted when a reload
 * changed the zone's size; of the other's files what is new since is added, as
 * a server does when its last worker has ended.  That takes the base, and
 * comes behind all that hold it.
 */

#include "uxctl.h"
#include "uxctl_report.h"

#include <string.h>


typedef enum {
    UXCTL_NOT = 0,
    UXCTL_AS_OF_BASE,
    UXCTL_WHOLLY
} uxctl_holds_e;


static uxctl_holds_e uxctl_held(const uxctl_snapshots_t *snapshots,
    const uxctl_incarnation_t *one, const uxctl_incarnation_t **holder);
static uxctl_holds_e uxctl_holds(const uxctl_incarnation_t *one,
    const uint8_t uuid[16]);
static uxctl_holds_e uxctl_image_holds(const uxctl_image_t *image,
    const uint8_t uuid[16]);
static int uxctl_order_base(uxctl_order_t *order,
    const uxctl_incarnation_t *one, const uxctl_incarnation_t *holder);
static void uxctl_order_sort(uxctl_order_t *order);
static bool uxctl_order_waits(const uxctl_order_t *order, unsigned at);
static int uxctl_order_twice(const uxctl_order_t *order);
static bool uxctl_order_common(const uxctl_incarnation_t *a,
    const uxctl_incarnation_t *b);
static void uxctl_order_push(uxctl_order_t *order,
    const uxctl_incarnation_t *one);


int
uxctl_order(const uxctl_snapshots_t *snapshots, const char *name,
    uxctl_order_t *order)
{
    int                         i, rc, based;
    uxctl_holds_e               how;
    const uxctl_incarnation_t  *one, *holder;

    memset(order, 0, sizeof(uxctl_order_t));

    order->all = apr_array_make(snapshots->pool, 4,
                                sizeof(const uxctl_incarnation_t *));

    for (based = 0; based < 2; based++) {
        for (i = 0; i < snapshots->found->nelts; i++) {
            one = &APR_ARRAY_IDX(snapshots->found, i, uxctl_incarnation_t);

            if (strcmp(uxctl_newest(one)->info.name, name) != 0) {
                continue;
            }

            how = uxctl_held(snapshots, one, &holder);

            if (how == UXCTL_NOT && !based) {
                uxctl_order_push(order, one);
                order->whole++;
            }

            if (how == UXCTL_AS_OF_BASE && based) {
                rc = uxctl_order_base(order, one, holder);

                if (rc != UXCTL_OK) {
                    return rc;
                }
            }
        }
    }

    if (order->whole == 0) {
        return uxctl_wrong("the snapshots of zone \"%s\" say that each is"
                           " part of another", name);
    }

    uxctl_order_sort(order);

    return uxctl_order_twice(order);
}


const uxctl_incarnation_t *
uxctl_order_at(const uxctl_order_t *order, unsigned i)
{
    return i < order->n
           ? APR_ARRAY_IDX(order->all, (int) i, const uxctl_incarnation_t *)
           : NULL;
}


static void
uxctl_order_push(uxctl_order_t *order, const uxctl_incarnation_t *one)
{
    APR_ARRAY_PUSH(order->all, const uxctl_incarnation_t *) = one;
    order->n++;
}


/* By any of the others; *holder has the most of it. */
static uxctl_holds_e
uxctl_held(const uxctl_snapshots_t *snapshots, const uxctl_incarnation_t *one,
    const uxctl_incarnation_t **holder)
{
    int                         i;
    uxctl_holds_e               how, most;
    const uxctl_incarnation_t  *other;

    most = UXCTL_NOT;
    *holder = NULL;

    for (i = 0; i < snapshots->found->nelts; i++) {
        other = &APR_ARRAY_IDX(snapshots->found, i, uxctl_incarnation_t);
        how = other == one ? UXCTL_NOT
                           : uxctl_holds(other, uxctl_newest(one)->info.uuid);

        if (how > most) {
            most = how;
            *holder = other;
        }
    }

    return most;
}


/* By either of its images: what one has the sum of both has. */
static uxctl_holds_e
uxctl_holds(const uxctl_incarnation_t *one, const uint8_t uuid[16])
{
    unsigned       i;
    uxctl_holds_e  how, most;

    most = UXCTL_NOT;

    for (i = 0; i < UX_FILE_KINDS; i++) {
        how = one->images[i].path == NULL
              ? UXCTL_NOT : uxctl_image_holds(&one->images[i], uuid);
        most = how > most ? how : most;
    }

    return most;
}


static uxctl_holds_e
uxctl_image_holds(const uxctl_image_t *image, const uint8_t uuid[16])
{
    unsigned                i;
    const ux_image_info_t  *info;

    info = &image->info;

    for (i = 0; i < info->nadopted; i++) {
        if (memcmp(info->adopted[i], uuid, 16) == 0) {
            return info->based >> i & 1 ? UXCTL_AS_OF_BASE : UXCTL_WHOLLY;
        }
    }

    return UXCTL_NOT;
}


static int
uxctl_order_base(uxctl_order_t *order, const uxctl_incarnation_t *one,
    const uxctl_incarnation_t *holder)
{
    const char  *path;

    if (one->images[UX_FILE_BASE].path != NULL) {
        uxctl_order_push(order, one);
        return UXCTL_OK;
    }

    path = uxctl_newest(one)->path;

    return uxctl_wrong("\"%s\" goes on from what \"%s\" has of it, and its"
                       " base is missing: expected \"%s\"", path,
                       uxctl_newest(holder)->path,
                       uxctl_base_path(order->all->pool, path));
}


/* Behind the first ones, who holds another one before that; there are few. */
static void
uxctl_order_sort(uxctl_order_t *order)
{
    unsigned                    i, k;
    const uxctl_incarnation_t  *one, **all;

    all = (const uxctl_incarnation_t **) (void *) order->all->elts;

    for (i = order->whole; i < order->n; i++) {
        one = all[i];

        for (k = i + 1; k < order->n && uxctl_order_waits(order, i); k++) {
            all[i] = all[k];
            all[k] = one;
            one = all[i];
        }
    }
}


static bool
uxctl_order_waits(const uxctl_order_t *order, unsigned at)
{
    unsigned                    i;
    const uxctl_incarnation_t  *one;

    one = uxctl_order_at(order, at);

    for (i = at + 1; i < order->n; i++) {
        if (uxctl_holds(uxctl_order_at(order, i),
                        uxctl_newest(one)->info.uuid)
            != UXCTL_NOT)
        {
            return true;
        }
    }

    return false;
}


/* What two of them have in common would count twice. */
static int
uxctl_order_twice(const uxctl_order_t *order)
{
    unsigned                    i, k;
    const uxctl_incarnation_t  *one, *other;

    for (i = 0; i < order->whole; i++) {
        for (k = i + 1; k < order->whole; k++) {
            one = uxctl_order_at(order, i);
            other = uxctl_order_at(order, k);

            if (uxctl_order_common(one, other)) {
                return uxctl_wrong("\"%s\" and \"%s\" both hold what an"
                                   " earlier snapshot counted: their sum would"
                                   " count it twice",
                                   uxctl_newest(one)->path,
                                   uxctl_newest(other)->path);
            }
        }
    }

    return UXCTL_OK;
}


static bool
uxctl_order_common(const uxctl_incarnation_t *a, const uxctl_incarnation_t *b)
{
    unsigned                i, k;
    const ux_image_info_t  *info;

    for (k = 0; k < UX_FILE_KINDS; k++) {
        info = &a->images[k].info;

        for (i = 0; a->images[k].path != NULL && i < info->nadopted; i++) {
            if (uxctl_holds(b, info->adopted[i]) != UXCTL_NOT) {
                return true;
            }
        }
    }

    return false;
}
