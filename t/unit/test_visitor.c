
/*
 * Copyright (C) the nginx-ux authors
 *
 * The packed form of a visitor: what goes in comes out, in few bytes, and
 * foreign bytes are refused or pack to themselves.
 */

#include "tap.h"
#include "ux_outline.h"
#include "ux_number.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>


#define NOW_S      1700000000u
#define NOW_MS     ((uint64_t) NOW_S * 1000)

#define HOSTILE    1000000         /* inputs of each hostile test */

#define UNPACKED_MAX  65536
#define GUARD         65536        /* a multiple of every page's size */


static uint64_t  seed = 88172645463325252u;


/* xorshift64 (Marsaglia 2003). */
static uint64_t
any(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return seed;
}


static unsigned
below(unsigned n)
{
    return (unsigned) ((any() >> 33) % n);
}


/* Of any length in bits, so that every varint length occurs. */
static uint64_t
number(void)
{
    return any() >> below(64);
}


static ux_cart_t
a_cart(uint64_t created_ms, unsigned state, unsigned furthest)
{
    ux_cart_t  cart;

    memset(&cart, 0, sizeof(cart));
    cart.created_ms = created_ms;
    cart.state = (uint8_t) state;
    cart.furthest = (uint8_t) furthest;

    return cart;
}


static bool
same_track(const ux_track_t *a, const ux_track_t *b)
{
    unsigned  i;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (a->carts[i].state != b->carts[i].state
            || a->carts[i].furthest != b->carts[i].furthest
            || a->carts[i].created_ms != b->carts[i].created_ms
            || a->carts[i].purchased != b->carts[i].purchased
            || a->carts[i].lacking != b->carts[i].lacking
            || a->carts[i].carried_in != b->carts[i].carried_in)
        {
            return false;
        }
    }

    for (i = 0; i < a->npasts && i < b->npasts; i++) {
        if (a->pasts[i].created_ms != b->pasts[i].created_ms
            || a->pasts[i].n != b->pasts[i].n
            || a->pasts[i].cart != b->pasts[i].cart
            || a->pasts[i].furthest != b->pasts[i].furthest
            || a->pasts[i].recovered != b->pasts[i].recovered)
        {
            return false;
        }
    }

    return a->npasts == b->npasts && a->waiting == b->waiting
           && a->crossed == b->crossed && a->error_seen == b->error_seen
           && a->before == b->before && a->arm == b->arm
           && a->moved == b->moved && a->visit == b->visit
           && a->stage == b->stage && a->vitals == b->vitals
           && memcmp(a->answers, b->answers, sizeof(a->answers)) == 0
           && memcmp(a->segments, b->segments, sizeof(a->segments)) == 0
           && a->exposed_ms == b->exposed_ms && a->events == b->events
           && a->steps == b->steps
           && memcmp(a->paces, b->paces, sizeof(a->paces)) == 0
           && memcmp(a->totals, b->totals, sizeof(a->totals)) == 0
           && memcmp(a->counts, b->counts, sizeof(a->counts)) == 0;
}


static bool
same_pending(const ux_event_t *a, const ux_event_t *b)
{
    return a->now_ms == b->now_ms && a->event == b->event
           && a->has_value == b->has_value && a->value == b->value
           && a->id_hash == b->id_hash && a->currency == b->currency;
}


static bool
same(const ux_visitor_t *a, const ux_visitor_t *b)
{
    unsigned  i;

    if (a->key_id != b->key_id || a->cookie_hash != b->cookie_hash
        || a->first_s != b->first_s || a->last_s != b->last_s
        || a->confirmed != b->confirmed || a->error_seen != b->error_seen
        || a->ntracks != b->ntracks || a->npending != b->npending
        || a->nids != b->nids || a->next_id != b->next_id
        || a->alias != b->alias || a->pages != b->pages
        || a->post_failed != b->post_failed
        || a->post_hash != b->post_hash || a->post_ms != b->post_ms
        || a->vitals_full != b->vitals_full
        || (a->alias && memcmp(a->alias_id, b->alias_id, UX_ALIAS_ID) != 0)
        || memcmp(a->ids, b->ids, a->nids * sizeof(a->ids[0])) != 0)
    {
        return false;
    }

    for (i = 0; i < UX_VITALS; i++) {
        if (a->vitals[i].id != b->vitals[i].id
            || a->vitals[i].mark != b->vitals[i].mark)
        {
            return false;
        }
    }

    for (i = 0; i < a->ntracks; i++) {
        if (!same_track(&a->tracks[i], &b->tracks[i])) {
            return false;
        }
    }

    for (i = 0; i < a->npending; i++) {
        if (!same_pending(&a->pending[i], &b->pending[i])) {
            return false;
        }
    }

    return true;
}


/* How often an outline was taken, and was not that of the visitor. */
static unsigned  outlines, outlines_bad;


static bool
same_outline(const ux_outline_t *a, const ux_outline_t *b)
{
    unsigned                   i;
    const ux_outline_track_t  *x, *y;

    for (i = 0; i < b->n; i++) {
        x = &a->tracks[i];
        y = &b->tracks[i];

        if (x->arm != y->arm || x->flags != y->flags) {
            return false;
        }
    }

    return a->cookie_hash == b->cookie_hash && a->first_s == b->first_s
           && a->confirmed == b->confirmed && a->waiting == b->waiting
           && a->pages == b->pages && a->n == b->n;
}


/* Of whatever bytes, none of them behind the pad; v: what they unpack to. */
static void
outline(const ux_visitor_t *v, const uint8_t *end, const uint8_t *buf,
    size_t len)
{
    uint8_t       *copy;
    ux_status_t    status;
    ux_outline_t   is, of;

    copy = (uint8_t *) (uintptr_t) end - len - UX_OUTLINE_PAD;
    memcpy(copy, buf, len);
    memset(copy + len, 0xff, UX_OUTLINE_PAD);
    memset(&is, 0xa5, sizeof(is));

    status = ux_outline_read(&is, copy, len);

    if (v == NULL) {
        return;
    }

    outlines++;

    if (v->alias) {
        outlines_bad += status != UX_DECLINED;
        return;
    }

    ux_outline_of(&of, v);
    outlines_bad += status != UX_OK || !same_outline(&is, &of);
}


/* Behind the last byte there is nothing that could be read. */
static ux_status_t
unpack(ux_visitor_t *v, const uint8_t *buf, size_t len)
{
    uint8_t         *copy;
    ux_status_t      status;
    static uint8_t  *end;

    if (end == NULL) {
        end = mmap(NULL, UNPACKED_MAX + GUARD, PROT_READ|PROT_WRITE,
                   MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

        if (end == MAP_FAILED || mprotect(end + UNPACKED_MAX, GUARD, PROT_NONE)
                                 == -1)
        {
            abort();
        }

        end += UNPACKED_MAX;
    }

    if (len > UNPACKED_MAX) {
        abort();
    }

    copy = end - len;
    memcpy(copy, buf, len);

    status = ux_visitor_unpack(v, copy, len);

    if (len <= UX_PACKED_MAX) {
        outline(status == UX_OK ? v : NULL, end, buf, len);
    }

    return status;
}


/* Length of the packed form if it comes back the same, else 0. */
static size_t
round_trip(const ux_visitor_t *v)
{
    size_t               len;
    uint8_t              buf[UX_PACKED_MAX];
    static ux_visitor_t  back;

    memset(&back, 0xa5, sizeof(back));

    if (ux_visitor_pack(v, buf, &len) != UX_OK
        || unpack(&back, buf, len) != UX_OK || !same(v, &back))
    {
        return 0;
    }

    return len;
}


static ux_track_t *
add_track(ux_visitor_t *v, uint16_t arm, uint64_t exposed_ms)
{
    ux_track_t  *t;

    t = &v->tracks[v->ntracks++];
    memset(t, 0, sizeof(*t));
    t->arm = arm;
    t->exposed_ms = exposed_ms;

    return t;
}


/* What only exposures have. */
static void
fill_exposure(ux_track_t *t)
{
    unsigned    i;
    ux_past_t  *past;

    t->moved = below(4) == 0;
    t->waiting = below(8) == 0;
    t->crossed = below(8) == 0;
    t->error_seen = below(4) == 0;
    t->visit = below(2);
    t->stage = (uint8_t) (below(8) == 0 ? below(UX_STAGES_MAX + 1) : 0);
    t->before = below(3) == 0 ? number() : 0;
    t->npasts = (uint8_t) (below(3) == 0 ? below(UX_PASTS_MAX + 1) : 0);

    for (i = 0; i < UX_SURVEYS; i++) {
        t->answers[i] = (uint8_t) (below(8) == 0
                                   ? below(UX_SURVEY_SCALE + 1) : 0);
    }

    for (i = 0; i < UX_SEGMENTS_MAX; i++) {
        t->segments[i] = (uint8_t) (below(8) == 0
                                    ? below(UX_SEGMENT_VALUES + 1) : 0);
    }

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        if (below(8) == 0) {
            t->counts[i] = (uint16_t) number();
        }
    }

    for (i = 0; i < UX_FUNNELS_MAX; i++) {
        if (below(16) == 0) {
            t->paces[i].started_ms = below(2) ? NOW_MS + number() % 99999 : 0;
            t->paces[i].reached_ms = NOW_MS + number() % 100000000;
            t->paces[i].mark = (uint16_t) number();
        }
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (below(8) == 0) {
            t->carts[i].carried_in = true;
            t->carts[i].purchased = (uint16_t) number();
            t->carts[i].lacking = (uint16_t) number();
        }
    }

    for (i = 0; i < t->npasts; i++) {
        past = &t->pasts[i];
        past->recovered = below(2);
        past->created_ms = !past->recovered || below(2)
                           ? NOW_MS + number() % 100000000 : 0;
        past->n = (uint16_t) (past->created_ms ? 1 : 1 + number() % 65535);
        past->cart = (uint8_t) below(UX_CARTS_MAX);
        past->furthest = (uint8_t) (past->recovered
                                    ? below(UX_FUNNEL_STEPS_MAX + 1) : 0);
    }
}


/* Of a visitor with all of its tracks. */
static void
fill_vitals(ux_visitor_t *v)
{
    unsigned  i, k;

    v->vitals_full = below(8) == 0;

    for (i = 0; i < UX_VITALS && !v->vitals_full; i++) {

        if (below(2)) {
            continue;
        }

        v->vitals[i].id = (uint32_t) number() | 1;
        v->vitals[i].mark = (uint16_t) (below(UX_VITAL_MARKS / 4) << 2
                                        | below(UX_VITAL_RATINGS));

        for (k = 1; k < v->ntracks; k++) {
            v->tracks[k].vitals |= (uint8_t) (below(2) << i);
        }
    }
}


static void
fill_track(ux_track_t *t)
{
    unsigned  i;

    t->events = below(2) ? number() : 0;
    t->steps = below(2) ? number() : 0;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        if (below(4) == 0) {
            t->totals[i] = (int64_t) (number() % (UX_TOTAL_MAX + 1ull));
        }
    }

    for (i = 0; i < UX_CARTS_MAX; i++) {
        if (below(4) == 0) {
            t->carts[i].state = (uint8_t) (1 + below(2));
        }

        if (t->carts[i].state == UX_CART_OPEN) {
            t->carts[i].furthest = (uint8_t) below(UX_FUNNEL_STEPS_MAX + 1);
            t->carts[i].created_ms = NOW_MS + number() % 100000000;
        }
    }

    if (t->arm != UX_ARM_NONE) {
        fill_exposure(t);
    }
}


static void
random_visitor(ux_visitor_t *v)
{
    unsigned  i, n, sparse;

    sparse = below(8) ? 3 : 1;

    ux_visitor_init(v, any(), (uint32_t) number());
    v->last_s = (uint32_t) number();
    v->cookie_hash = below(2) ? any() : 0;
    v->confirmed = below(2);
    v->error_seen = below(2);
    v->nids = (uint8_t) below(UX_IDS_MAX + 1);
    v->next_id = v->nids < UX_IDS_MAX ? v->nids
                                      : (uint8_t) below(UX_IDS_MAX);

    for (i = 0; i < v->nids; i++) {
        v->ids[i] = (uint32_t) number();
    }

    v->pages = (uint8_t) below(3);

    if (below(3) == 0) {
        v->post_failed = below(2);
        v->post_hash = (uint32_t) number() | 1;
        v->post_ms = below(8) ? NOW_MS + number() % 10000 : any();
    }

    if (below(2)) {
        fill_track(&v->tracks[0]);
    }

    for (i = below(UX_TRACKS_MAX); i > 0; i--) {
        (void) add_track(v, (uint16_t) (number() % UX_ARM_NONE),
                         below(8) ? NOW_MS + number() % 10000 : any());

        if (below(sparse) == 0) {
            fill_track(&v->tracks[v->ntracks - 1]);
        }
    }

    if (below(3) == 0) {
        fill_vitals(v);
    }

    n = below(3) ? 0 : below(UX_PENDING_MAX + 1);

    for (i = 0; i < n; i++) {
        v->pending[i] = (ux_event_t) { number(), 0, 0, (uint8_t) below(64),
                                       below(2), UX_CURRENCY_ZONE };

        if (v->pending[i].has_value) {
            v->pending[i].value = (int64_t) (number() % (UX_MONEY_MAX + 1ull));
        }
    }

    v->npending = (uint8_t) n;
}


static void
test_init(void)
{
    static ux_visitor_t  v, rubbish;

    memset(&v, 0xa5, sizeof(v));
    memset(&rubbish, 0xa5, sizeof(v));
    ux_visitor_init(&v, 42, NOW_S);

    ok(v.key_id == 42 && v.cookie_hash == 0 && v.first_s == NOW_S
       && v.last_s == NOW_S && !v.confirmed && !v.error_seen
       && v.ntracks == 1 && v.npending == 0 && v.nids == 0 && v.next_id == 0,
       "a new visitor");
    ok(v.tracks[0].arm == UX_ARM_NONE && !v.tracks[0].moved
       && v.tracks[0].exposed_ms == NOW_MS && v.tracks[0].events == 0
       && v.tracks[0].totals[7] == 0 && v.tracks[0].carts[7].state == 0,
       "its life is empty");
    ok(memcmp(&v.tracks[1], &rubbish.tracks[1],
              sizeof(v) - offsetof(ux_visitor_t, tracks[1])) == 0,
       "nothing else is touched");
}


/* Times are worth less than events: they give way where there is no room. */
static void
test_lean(void)
{
    size_t               len;
    uint8_t              buf[UX_PACKED_MAX];
    unsigned             i, k;
    ux_track_t          *t;
    static ux_visitor_t  v, back;

    ux_visitor_init(&v, 1, NOW_S);
    v.post_hash = 5;
    v.post_ms = NOW_MS;

    for (i = 1; i < UX_TRACKS_MAX; i++) {
        t = add_track(&v, (uint16_t) i, NOW_MS);
        t->events = 0x7f;

        for (k = 0; k < UX_FUNNELS_MAX; k++) {
            t->paces[k].started_ms = NOW_MS + 90000000;
            t->paces[k].reached_ms = NOW_MS + 99000000;
        }
    }

    ok(ux_visitor_pack(&v, buf, &len) == UX_OK
       && unpack(&back, buf, len) == UX_OK, "all funnels under way: packed");
    ok(back.ntracks == UX_TRACKS_MAX && back.tracks[16].events == 0x7f
       && back.tracks[1].paces[0].reached_ms == 0 && back.post_hash == 0,
       "without the times, but with the events");

    for (i = 2; i < UX_TRACKS_MAX; i++) {
        memset(v.tracks[i].paces, 0, sizeof(v.tracks[i].paces));
    }

    ok(ux_visitor_pack(&v, buf, &len) == UX_OK
       && unpack(&back, buf, len) == UX_OK && same(&v, &back),
       "where there is room they stay");
}


static void
test_sizes(void)
{
    size_t                len;
    unsigned              i;
    ux_track_t           *t;
    static ux_visitor_t   v;

    ux_visitor_init(&v, 1, NOW_S);
    v.confirmed = true;
    (void) add_track(&v, 3, NOW_MS + 640);
    len = round_trip(&v);
    ok(len == 18, "one experiment: %zu bytes", len);

    v.cookie_hash = 0xfedcba9876543210u;
    len = round_trip(&v);
    ok(len == 26, "one experiment and a cookie: %zu bytes", len);

    v.last_s += 4095;
    len = round_trip(&v);
    ok(len == 27, "and an hour later: %zu bytes", len);

    for (i = 1; i < 4; i++) {
        (void) add_track(&v, (uint16_t) (20 + i), NOW_MS + 640);
    }

    v.tracks[0].events = 0x7f;

    for (i = 1; i < 5; i++) {
        v.tracks[i].events = 0x7f;
    }

    len = round_trip(&v);
    ok(len > 0 && len < 64, "four experiments with events: %zu bytes", len);

    for (i = 0; i < 5; i++) {
        t = &v.tracks[i];
        t->steps = 0x3f;
        t->totals[0] = 4990;
        t->carts[0] = a_cart(0, UX_CART_DONE, 0);
        t->carts[1] = a_cart(NOW_MS + 600000, UX_CART_OPEN, 2);
    }

    v.nids = 1;
    v.next_id = 1;
    v.ids[0] = 7;

    len = round_trip(&v);
    ok(len > 0 && len < 128, "and all else of a buyer: %zu bytes", len);

    for (i = 1; i < 5; i++) {
        t = &v.tracks[i];
        t->before = 0x07;
        t->carts[0].purchased = 1;
        t->pasts[0] = (ux_past_t) { NOW_MS + 500000, 1, 0, 0, false };
        t->npasts = 1;
    }

    len = round_trip(&v);
    ok(len > 0 && len < 168, "and what a crossover needs: %zu bytes", len);

    ux_visitor_init(&v, 1, NOW_S);
    t = add_track(&v, 3, NOW_MS);
    t->totals[1] = 4990;
    len = round_trip(&v);
    t->counts[1] = 1;
    ok(len > 0 && round_trip(&v) == len + 2,
       "a ratio takes two bytes more than a mean");
    t->totals[1] = 0;
    ok(round_trip(&v) == len - 1, "its values may all be 0");
    t->counts[7] = UINT16_MAX;
    ok(round_trip(&v) == len + 2, "up to 65535 of them");

    ux_visitor_init(&v, 1, NOW_S);
    t = add_track(&v, 3, NOW_MS);
    len = round_trip(&v);

    for (i = 0; i < UX_VITALS; i++) {
        v.vitals[i].id = 0x12345678 + i;
        v.vitals[i].mark = UX_VITAL_MARKS - 2;
    }

    t->vitals = 0x1f;
    ok(round_trip(&v) == len + 38, "all five vitals: 38 bytes");
    v.vitals[0].id = 0;
    v.vitals[0].mark = 0;
    t->vitals = 0x1e;
    ok(round_trip(&v) == len + 31, "7 each");
    memset(v.vitals, 0, sizeof(v.vitals));
    t->vitals = 0;
    v.vitals_full = true;
    ok(round_trip(&v) == len + 2, "that there was no room: 2");
}


static void
test_alias(void)
{
    size_t               len;
    static ux_visitor_t  v;

    ux_visitor_init(&v, 1, NOW_S);
    v.alias = true;
    memcpy(v.alias_id, "\x01\xff" "cdefghijklmn\0\x80", UX_ALIAS_ID);

    len = round_trip(&v);
    ok(len == 31, "another name: %zu bytes", len);

    v.confirmed = true;
    v.last_s += 200;
    len = round_trip(&v);
    ok(len == 32, "confirmed, and used later: %zu bytes", len);
}


static void
test_faults(void)
{
    size_t               len;
    uint8_t              buf[UX_PACKED_MAX + 1];
    unsigned             i;
    static ux_visitor_t  v;

    static const ux_past_t  pasts[] = {
        { NOW_MS, 0, 0, 0, false },            /* of none */
        { NOW_MS, 2, 0, 0, true },             /* two of one moment */
        { 0, 1, 0, 0, false },                 /* purchased long ago */
        { NOW_MS, 1, UX_CARTS_MAX, 0, true },
        { NOW_MS, 1, 0, 1, false },            /* no step noted of these */
        { 0, 1, 0, UX_FUNNEL_STEPS_MAX + 1, true }
    };

    buf[UX_PACKED_MAX] = 0x5c;

    ux_visitor_init(&v, 1, NOW_S);

    for (i = 1; i < UX_TRACKS_MAX; i++) {
        (void) add_track(&v, 50000, NOW_MS);
        v.tracks[i].events = UINT64_MAX;
        v.tracks[i].steps = UINT64_MAX;
        v.tracks[i].totals[0] = UX_TOTAL_MAX;
        v.tracks[i].totals[7] = UX_TOTAL_MAX;
        v.tracks[i].carts[0] = a_cart(1, UX_CART_OPEN, 16);
        v.tracks[i].carts[1] = a_cart(1, UX_CART_OPEN, 16);
    }

    ok(ux_visitor_pack(&v, buf, &len) == UX_FULL
       && buf[UX_PACKED_MAX] == 0x5c, "what does not fit is UX_FULL");

    v.ntracks = UX_TRACKS_MAX + 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "too many tracks");
    v.ntracks = 0;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "no life");
    v.ntracks = 1;
    v.npending = UX_PENDING_MAX + 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "too much pending");
    v.npending = 0;
    v.nids = UX_IDS_MAX + 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "too many ids");
    v.nids = 3;
    v.next_id = 4;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a gap among the ids");
    v.nids = 8;
    v.next_id = 8;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a next id beyond them");
    v.nids = 0;
    v.next_id = 0;

    v.tracks[0].totals[3] = -1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a sum below 0");
    v.tracks[0].totals[3] = UX_TOTAL_MAX + 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a sum above 10^15");
    v.tracks[0].totals[3] = 0;
    v.tracks[0].carts[0] = a_cart(1, 3, 0);
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "an unknown cart state");
    v.tracks[0].carts[0] = a_cart(1, UX_CART_OPEN, 17);
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a step beyond a funnel");
    v.tracks[0].carts[0] = a_cart(0, UX_CART_NONE, 0);

    v.tracks[0].counts[3] = 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_OK
       && unpack(&v, buf, len) == UX_OK && v.tracks[0].counts[3] == 0,
       "a life keeps no counts");

    v.tracks[0].carts[0].lacking = 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a life that counts carts");
    v.tracks[0].carts[0].lacking = 0;

    (void) add_track(&v, UX_ARM_NONE, NOW_MS);
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "an exposure to no arm");
    v.tracks[1].arm = 5;

    v.tracks[1].npasts = UX_PASTS_MAX + 1;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "too many past carts");
    v.tracks[1].npasts = 1;

    for (i = 0; i < sizeof(pasts) / sizeof(pasts[0]); i++) {
        v.tracks[1].pasts[0] = pasts[i];
        ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a past cart, no %u",
           i);
    }

    v.ntracks = 1;

    v.npending = 1;
    v.pending[0] = (ux_event_t) { NOW_MS, 0, 0, 64, false, UX_CURRENCY_ZONE };
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a slot beyond the mask");
    v.pending[0].event = 63;
    v.pending[0].has_value = true;
    v.pending[0].value = UX_MONEY_MAX + 1ll;
    ok(ux_visitor_pack(&v, buf, &len) == UX_ERROR, "a value beyond money");
    v.pending[0].value = UX_MONEY_MAX;
    ok(round_trip(&v) > 0, "and the visitor without faults packs");
}


/* head of a visitor: layout and flags, counts, key, first_s, last_s. */
static size_t
head(uint8_t *buf, unsigned flags, unsigned counts)
{
    memset(buf, 1, 15);
    buf[0] = (uint8_t) flags;
    buf[1] = (uint8_t) counts;
    buf[14] = 0;

    return 15;
}


static bool
refused(unsigned flags, unsigned counts, const char *tail, size_t len)
{
    size_t               n;
    uint8_t              buf[256];
    static ux_visitor_t  v;

    n = head(buf, flags, counts);
    memcpy(buf + n, tail, len);

    return unpack(&v, buf, n + len) == UX_ERROR;
}

#define REFUSED(flags, counts, tail)                                         \
    refused(flags, counts, tail, sizeof(tail) - 1)


static void
test_foreign(void)
{
    size_t               i, len;
    uint8_t              buf[UX_PACKED_MAX];
    unsigned             accepted;
    static ux_visitor_t  v;

    ok(!REFUSED(0x41, 0, "") && !REFUSED(0x41, 1, "\x06\x00"),
       "what the refused ones below differ from");
    ok(REFUSED(0x41, 0, "\0"), "trailing bytes");
    ok(REFUSED(0x31, 0, "") && REFUSED(0x51, 0, ""), "another layout");
    ok(REFUSED(0x41, 0x80, "") && REFUSED(0x41, 0x80, "0123456789abcde")
       && REFUSED(0x41, 0x80, "0123456789abcdefg")
       && !REFUSED(0x41, 0x80, "0123456789abcdef")
       && !REFUSED(0x40, 0x80, "0123456789abcdef"),
       "an alias of another length");
    ok(REFUSED(0x43, 0x80, "0123456789abcdef")
       && REFUSED(0x45, 0x80, "0123456789abcdef")
       && REFUSED(0x49, 0x80, "0123456789abcdef")
       && REFUSED(0x41, 0x81, "0123456789abcdef")
       && REFUSED(0x41, 0xa0, "0123456789abcdef")
       && REFUSED(0x41, 0xc0, "0123456789abcdef"),
       "an alias with anything else");
    ok(REFUSED(0x41, 17, "\2\0\4\0\6\0\10\0\12\0\14\0\16\0\20\0\22\0\24\0"
               "\26\0\30\0\32\0\34\0\36\0\40\0\42\0"), "17 experiments");
    ok(REFUSED(0x45, 0, "\0\0\0\0\0\0\0\0"), "a cookie hash of 0");
    ok(REFUSED(0x41, 0x20, "\0"), "ids announced and none there");
    ok(REFUSED(0x41, 0x20, "\x01" "abcd")
       && !REFUSED(0x41, 0x20, "\x11" "abcd"), "a ring with a gap");
    ok(REFUSED(0x41, 0x20, "\x89" "abcdabcdabcdabcdabcdabcdabcdabcdabcd"),
       "nine ids");
    ok(REFUSED(0x41, 0x40, "\0"), "pending announced and none there");
    ok(REFUSED(0x41, 0x40, "\1\x80\0") && !REFUSED(0x41, 0x40, "\1\x3f\0"),
       "an unknown flag of a pending event");
    ok(REFUSED(0x41, 0x40, "\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "17 pending events");
    ok(REFUSED(0x41, 0x40, "\1\x40\0\x81\xa0\x94\xa5\x8d\x1d")
       && !REFUSED(0x41, 0x40, "\1\x40\0\x80\xa0\x94\xa5\x8d\x1d"),
       "a value beyond money");
    ok(REFUSED(0x41, 1, "\x0d\0\0") && !REFUSED(0x41, 1, "\x0d\0\1\1"),
       "an empty body");
    ok(REFUSED(0x41, 1, "\x0d\0\x80") && REFUSED(0x41, 1, "\x0d\0\x80\0")
       && REFUSED(0x41, 1, "\x0d\0\x80\1\0")
       && REFUSED(0x41, 1, "\x0d\0\x80\1\x80\x80\x04")
       && !REFUSED(0x41, 1, "\x0d\0\x80\1\xff\xff\x03"),
       "no counts, or some of 0 or beyond 65535");
    ok(REFUSED(0x41, 1, "\x0d\0\1\0") && REFUSED(0x41, 1, "\x0d\0\1\x10")
       && REFUSED(0x41, 1, "\x0d\0\1\x11")
       && !REFUSED(0x41, 1, "\x0d\0\1\x0f"), "flags: none or unknown");
    ok(REFUSED(0x41, 1, "\x0d\0\1\x20") && REFUSED(0x41, 1, "\x0d\0\1\x20\0")
       && REFUSED(0x41, 1, "\x0d\0\1\x20\x11")
       && !REFUSED(0x41, 1, "\x0d\0\1\x20\x10"), "a stage: none or beyond");
    ok(REFUSED(0x41, 1, "\x0d\0\1\x40\0")
       && REFUSED(0x41, 1, "\x0d\0\1\x40\1\0")
       && REFUSED(0x41, 1, "\x0d\0\1\x40\1\x0c")
       && REFUSED(0x41, 1, "\x0d\0\1\x40\x08\1")
       && !REFUSED(0x41, 1, "\x0d\0\1\x40\5\1\x0b"),
       "answers: none, beyond the scale, of a survey there is not");
    ok(REFUSED(0x41, 1, "\x0d\0\1\x80\0")
       && REFUSED(0x41, 1, "\x0d\0\1\x80\1\0")
       && REFUSED(0x41, 1, "\x0d\0\1\x80\1\x41")
       && REFUSED(0x41, 1, "\x0d\0\1\x80\x10\1")
       && !REFUSED(0x41, 1, "\x0d\0\1\x80\x0f\1\2\3\x40"),
       "segments: none, a value or a segment beyond");
    ok(!REFUSED(0x41, 1, "\x0d\0\1\x10\1\1\2" "ab")
       && !REFUSED(0x41, 1, "\x0d\0\1\x10\1\0\2" "ab")
       && REFUSED(0x41, 1, "\x0d\0\1\x10\1\1\2" "a")
       && REFUSED(0x41, 1, "\x0d\0\1\x10\0")
       && REFUSED(0x41, 1, "\x0d\0\1\x10\1\1\0" "ab")
       && REFUSED(0x41, 1, "\x0d\0\1\x10\x80\x80\4\1\2" "ab"),
       "paces: none, not reached, unmarked, or of a funnel beyond");
    ok(!REFUSED(0x49, 0, "\1\x20" "abcd" "\2")
       && !REFUSED(0x49, 0, "\1\x60" "abcd" "\2")
       && REFUSED(0x49, 0, "\1\x40" "abcd" "\2")
       && REFUSED(0x49, 0, "\1\x21" "abcd" "\2")
       && REFUSED(0x49, 0, "\1\x20" "\0\0\0\0" "\2"),
       "a form: none, or sent nowhere");
    ok(!REFUSED(0x49, 1, "\1\1\x0c\0\1" "abcd" "\4\1")
       && !REFUSED(0x49, 1, "\1\1\x0c\0\x10" "abcd" "\xfe\x11\0")
       && !REFUSED(0x49, 0, "\1\1\1" "abcd" "\4\0")
       && REFUSED(0x49, 1, "\1\1\x0c\0\0")
       && REFUSED(0x49, 1, "\1\1\x0c\0\x20" "abcd" "\4\1")
       && REFUSED(0x49, 1, "\1\1\x0c\0\1" "\0\0\0\0" "\4\1"),
       "vitals: none, of a metric beyond, of no page view");
    ok(REFUSED(0x49, 1, "\1\1\x0c\0\1" "abcd" "\7\1")
       && REFUSED(0x49, 1, "\1\1\x0c\0\1" "abcd" "\x80\x12\1")
       && REFUSED(0x49, 1, "\1\1\x0c\0\1" "abcd" "\4\2")
       && REFUSED(0x49, 0, "\1\1\1" "abcd" "\4\1"),
       "a rating, a bucket or a track there is not");
    ok(!REFUSED(0x49, 0, "\1\2") && REFUSED(0x49, 0, "\1\0")
       && REFUSED(0x49, 0, "\1\3\1" "abcd" "\4\0")
       && REFUSED(0x49, 0, "\1\4"), "vitals that there was no room for");
    ok(REFUSED(0x49, 0, "\1\1") && REFUSED(0x49, 0, "\x20\1")
       && REFUSED(0x49, 0, "\x40\1\x18\2\2")
       && REFUSED(0x49, 0, "\x80\1\1")
       && !REFUSED(0x49, 0, "\2\1"), "a life with what exposures have");
    ok(REFUSED(0x49, 0, "\x10\1\x5f\1") && REFUSED(0x49, 0, "\x10\1\x3f")
       && REFUSED(0x49, 0, "\x10\1\x9f\1")
       && !REFUSED(0x49, 0, "\x10\1\x1f"), "a life whose carts counted");
    ok(REFUSED(0x41, 1, "\x0d\0\2\0") && REFUSED(0x41, 1, "\x0d\0\4\0"),
       "empty masks");
    ok(REFUSED(0x41, 1, "\x0d\0\x08\0") && REFUSED(0x41, 1, "\x0d\0\x10\0"),
       "no total, no cart");
    ok(REFUSED(0x41, 1, "\x0d\0\x08\1\0"), "a total of 0");
    ok(REFUSED(0x41, 1, "\x0d\0\x08\1\x81\x80\x9a\xa6\xea\xaf\xe3\1")
       && !REFUSED(0x41, 1, "\x0d\0\x08\1\x80\x80\x9a\xa6\xea\xaf\xe3\1"),
       "a total above 10^15");
    ok(REFUSED(0x41, 1, "\x0d\0\x10\1\x12\0")
       && !REFUSED(0x41, 1, "\x0d\0\x10\1\x11\0"), "a step beyond a funnel");
    ok(REFUSED(0x41, 1, "\x0d\0\x10\1\0")
       && !REFUSED(0x41, 1, "\x0d\0\x10\1\x20"), "a cart that is none");
    ok(REFUSED(0x41, 1, "\x0d\0\x10\1\x5f\0")
       && REFUSED(0x41, 1, "\x0d\0\x10\1\x9f\0")
       && REFUSED(0x41, 1, "\x0d\0\x10\1\x5f\x80\x80\x04")
       && !REFUSED(0x41, 1, "\x0d\0\x10\1\xff\xff\xff\x03\1"),
       "carts counted as 0, or beyond 65535");
    ok(REFUSED(0x41, 1, "\x0d\0\x20\0"), "a mask of no step before");
    ok(REFUSED(0x41, 1, "\x0d\0\x40\0")
       && REFUSED(0x41, 1, "\x0d\0\x40\x11\x10\2\x10\2\x10\2\x10\2\x10\2"
                  "\x10\2\x10\2\x10\2\x10\2\x10\2\x10\2\x10\2\x10\2"
                  "\x10\2\x10\2\x10\2\x10\2")
       && !REFUSED(0x41, 1, "\x0d\0\x40\1\x10\2"), "no past cart, or 17");
    ok(REFUSED(0x41, 1, "\x0d\0\x40\1\0\1")
       && REFUSED(0x41, 1, "\x0d\0\x40\1\x30\2")
       && REFUSED(0x41, 1, "\x0d\0\x40\1\x08\x11\1")
       && REFUSED(0x41, 1, "\x0d\0\x40\1\x08\x10\0")
       && REFUSED(0x41, 1, "\x0d\0\x40\1\x08\x10\x80\x80\x04")
       && !REFUSED(0x41, 1, "\x0d\0\x40\1\x0f\x10\xff\xff\x03"),
       "a past cart that pack() does not write");
    ok(REFUSED(0x41, 1, "\xfc\xff\x0f\0")
       && !REFUSED(0x41, 1, "\xf9\xff\x0f\0\1\1"), "the arm of no exposure");
    ok(REFUSED(0x41, 1, "\x8c\0\0"), "a number longer than it need be");
    ok(REFUSED(0x41, 1, "\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\2")
       && !REFUSED(0x41, 1, "\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
       "a number of 65 bits");

    len = head(buf, 0x41, 0);
    memcpy(buf + len - 1, "\x80\x80\x80\x80\x40", 5);
    ok(unpack(&v, buf, len + 4) == UX_ERROR, "last_s beyond 32 bits");
    buf[len - 1] = 3;
    ok(unpack(&v, buf, len) == UX_ERROR, "more pages than there are");
    buf[len - 1] = 2;
    ok(unpack(&v, buf, len) == UX_OK && v.pages == 2, "two pages");

    random_visitor(&v);

    while (ux_visitor_pack(&v, buf, &len) != UX_OK || len < 200) {
        random_visitor(&v);
    }

    for (i = 0, accepted = 0; i < len; i++) {
        accepted += unpack(&v, buf, i) == UX_OK;
    }

    ok(accepted == 0, "every part of a packed visitor is refused");
}


/* The same track many times over: as many as fit, and one more. */
static void
test_too_long(void)
{
    size_t               head, track, len;
    uint8_t              buf[2 * UX_PACKED_MAX];
    unsigned             i, n;
    static ux_visitor_t  v;

    ux_visitor_init(&v, 1, NOW_S);
    (void) ux_visitor_pack(&v, buf, &head);

    (void) add_track(&v, 5, NOW_MS);
    v.tracks[1].events = UINT64_MAX;
    v.tracks[1].steps = UINT64_MAX;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        v.tracks[1].totals[i] = UX_TOTAL_MAX;
    }

    (void) ux_visitor_pack(&v, buf, &len);
    track = len - head;
    n = (unsigned) ((UX_PACKED_MAX - head) / track);

    for (i = 1; i <= n; i++) {
        memcpy(buf + head + i * track, buf + head, track);
    }

    buf[1] = (uint8_t) n;
    len = head + n * track;
    ok(unpack(&v, buf, len) == UX_OK && round_trip(&v) == len,
       "%u large tracks, %zu bytes", n, len);

    buf[1] = (uint8_t) (n + 1);
    len += track;
    ok(n + 1 < UX_TRACKS_MAX && len > UX_PACKED_MAX
       && unpack(&v, buf, len) == UX_ERROR,
       "one more, %zu bytes, nobody can have packed", len);
}


/* Is there room when what is known of vitals is left out, and that told? */
static bool
without_vitals(ux_visitor_t *v)
{
    unsigned  i, n;

    n = 0;

    for (i = 0; i < UX_VITALS; i++) {
        n += v->vitals[i].id != 0;
        v->vitals[i].id = 0;
        v->vitals[i].mark = 0;
    }

    for (i = 1; i < v->ntracks; i++) {
        v->tracks[i].vitals = 0;
    }

    v->vitals_full = v->vitals_full || n > 0;

    return n > 0 && round_trip(v) > 0;
}


static void
test_random(void)
{
    size_t               len;
    uint8_t              buf[UX_PACKED_MAX];
    unsigned             i, k, bad, full, lean, vitals;
    ux_status_t          status;
    static ux_visitor_t  v;

    bad = 0;
    vitals = 0;
    full = 0;
    lean = 0;

    for (i = 0; i < 50000; i++) {
        random_visitor(&v);
        status = ux_visitor_pack(&v, buf, &len);

        if (status == UX_FULL) {
            full++;
            continue;
        }

        bad += status != UX_OK || len > UX_PACKED_MAX;

        if (round_trip(&v) == 0 && without_vitals(&v)) {
            vitals++;

        } else if (round_trip(&v) == 0) {

            /* there was room without the times */

            lean++;
            v.post_hash = 0;
            v.post_failed = false;
            v.post_ms = 0;

            for (k = 1; k < v.ntracks; k++) {
                memset(v.tracks[k].paces, 0, sizeof(v.tracks[k].paces));
                v.tracks[k].stage = 0;
            }

            if (round_trip(&v) == 0) {
                v.vitals_full = false;
                bad += round_trip(&v) == 0;
            }
        }
    }

    ok(bad == 0, "random visitors come back the same");
    ok(vitals > 0 && vitals < 5000, "%u did without vitals", vitals);
    ok(full > 0 && full < 25000, "most of them fit, %u did not", full);
    ok(lean > 0 && lean < 5000, "%u did without their times", lean);
}


/* Refused, or packed to the same bytes again. */
static bool
harmless(const uint8_t *buf, size_t len, unsigned *accepted)
{
    size_t               again;
    uint8_t              out[UX_PACKED_MAX];
    static ux_visitor_t  v;

    if (unpack(&v, buf, len) != UX_OK) {
        return true;
    }

    (*accepted)++;

    return ux_visitor_pack(&v, out, &again) == UX_OK && again == len
           && memcmp(buf, out, len) == 0;
}


static void
test_hostile(void)
{
    size_t               len;
    uint8_t              buf[UX_PACKED_MAX];
    unsigned             i, k, bad, accepted;
    static ux_visitor_t  v;

    bad = 0;
    accepted = 0;

    for (i = 0; i < HOSTILE; i++) {
        len = below(64);

        for (k = 0; k < len; k++) {
            buf[k] = (uint8_t) (below(3) ? below(8) : any());
        }

        if (len > 1 && below(8)) {
            buf[0] = (uint8_t) (0x40 | below(16));
            buf[1] = (uint8_t) (below(4) | (below(4) << 5));
        }

        bad += !harmless(buf, len, &accepted);
    }

    ok(bad == 0 && accepted > 100, "random bytes, %u of them accepted",
       accepted);

    accepted = 0;
    len = 0;

    for (i = 0; i < HOSTILE; i++) {
        if (i % 10 == 0) {
            do {
                random_visitor(&v);
                v.ntracks = v.ntracks > 5 ? 5 : v.ntracks;
            } while (ux_visitor_pack(&v, buf, &len) != UX_OK);
        }

        k = below((unsigned) len);
        buf[k] = (uint8_t) (below(2) ? any() : buf[k] ^ (1u << below(8)));

        bad += !harmless(buf, below(16) ? len : below((unsigned) len + 1),
                         &accepted);
    }

    ok(bad == 0 && accepted > 1000, "mutated visitors, %u of them accepted",
       accepted);
}


/* A bit of the visitor is another; not of what tells how much there is. */
static bool
alter(ux_visitor_t *v)
{
    size_t       at;
    ux_track_t  *track;

    if (below(2)) {
        at = below((unsigned) offsetof(ux_visitor_t, tracks));

        if (at >= offsetof(ux_visitor_t, confirmed)
            && at <= offsetof(ux_visitor_t, next_id)
            && at != offsetof(ux_visitor_t, error_seen)
            && at != offsetof(ux_visitor_t, alias))
        {
            return false;
        }

        ((uint8_t *) v)[at] ^= 1;
        v->last_s ^= below(2);

        return true;
    }

    track = &v->tracks[below(v->ntracks)];
    at = below((unsigned) (offsetof(ux_track_t, pasts)
                           + track->npasts * sizeof(ux_past_t)));

    if (at == offsetof(ux_track_t, npasts)) {
        return false;
    }

    ((uint8_t *) track)[at] ^= 1;

    return true;
}


/* Whoever is taken for the same packs to the same bytes, but for last_s. */
static void
test_same(void)
{
    size_t               len[2];
    uint8_t              buf[2][UX_PACKED_MAX];
    unsigned             i, bad, same_ones, others;
    static ux_visitor_t  v, was, kept;

    bad = same_ones = others = 0;

    for (i = 0; i < 200000; i++) {

        if (i % 20 == 0) {
            do {
                random_visitor(&was);
                was.confirmed = below(8) != 0;
                was.npending = was.confirmed ? 0 : was.npending;
            } while (ux_visitor_pack(&was, buf[0], &len[0]) != UX_OK
                     || unpack(&was, buf[0], len[0]) != UX_OK);
        }

        ux_visitor_keep(&kept, &was);
        v = was;

        if (below(4) && !alter(&v)) {
            continue;
        }

        if (!ux_visitor_same(&v, &kept)) {
            others++;
            continue;
        }

        same_ones++;
        v.last_s = was.last_s;
        v.key_id = was.key_id;
        bad += ux_visitor_pack(&v, buf[1], &len[1]) != UX_OK
               || len[0] != len[1] || memcmp(buf[0], buf[1], len[0]) != 0;
    }

    ok(bad == 0 && same_ones > 5000 && others > 20000,
       "%u taken for the same, %u not: %u wrong", same_ones, others, bad);
}


int
main(void)
{
    test_init();
    test_sizes();
    test_lean();
    test_alias();
    test_faults();
    test_foreign();
    test_too_long();
    test_random();
    test_hostile();
    test_same();

    ok(outlines_bad == 0 && outlines > 50000,
       "%u outlines, each of the visitor it is unpacked to: %u are not",
       outlines, outlines_bad);

    return done();
}
