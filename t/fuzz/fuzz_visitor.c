
/*
 * Copyright (C) the nginx-ux authors
 *
 * A packed visitor.  The bytes are taken twice: as somebody's packed visitor,
 * which is refused or packs to itself; and as the choices that make up a
 * visitor, which comes back from its packed form in every field.
 */

#include "fuzz.h"
#include "ux_number.h"
#include "ux_visitor.h"


static void check_bytes(const uint8_t *data, size_t size);
static void check_choices(const uint8_t *data, size_t size);
static void make_visitor(ux_visitor_t *visitor);
static void make_track(ux_track_t *track);
static void make_carts(ux_track_t *track, bool life);
static void make_pasts(ux_track_t *track);
static void make_pending(ux_visitor_t *visitor);
static uint64_t choose(uint64_t below);
static uint64_t moment(void);


const char *const  fuzz_words[] = {
    "\x21", "\x25", "\x2f", "\x01\x01", "\xff\xff\xff\xff", "\x80\x80\x80",
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x1f", "\xff", NULL
};


static const uint8_t  *choices;
static size_t          nchoices;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_bytes(data, size);
    check_choices(data, size);

    return 0;
}


static void
check_bytes(const uint8_t *data, size_t size)
{
    size_t       len;
    uint8_t      packed[UX_PACKED_MAX];
    ux_str_t     bytes;
    ux_status_t  rc;

    static ux_visitor_t  visitor;

    bytes = fuzz_copy(data, size);
    memset(&visitor, 0xa5, sizeof(visitor));

    rc = ux_visitor_unpack(&visitor, (const uint8_t *) bytes.data, size);

    if (rc == UX_OK) {
        fuzz_check(visitor.ntracks >= 1 && visitor.ntracks <= UX_TRACKS_MAX);
        fuzz_check(visitor.npending <= UX_PENDING_MAX);
        fuzz_check(visitor.nids <= UX_IDS_MAX);
        fuzz_check(ux_visitor_pack(&visitor, packed, &len) == UX_OK);
        fuzz_check(len == size && memcmp(packed, data, size) == 0);

    } else {
        fuzz_check(rc == UX_ERROR);
    }

    fuzz_free(bytes);
}


static void
check_choices(const uint8_t *data, size_t size)
{
    size_t       len;
    uint8_t      packed[UX_PACKED_MAX];
    ux_str_t     bytes;
    ux_status_t  rc;

    static ux_visitor_t  visitor, back;

    choices = data;
    nchoices = size;
    make_visitor(&visitor);

    rc = ux_visitor_pack(&visitor, packed, &len);
    fuzz_check(rc == UX_OK || rc == UX_FULL);

    if (rc == UX_FULL) {
        return;
    }

    fuzz_check(len <= UX_PACKED_MAX);
    bytes = fuzz_copy(packed, len);
    memset(&back, 0, sizeof(back));

    fuzz_check(ux_visitor_unpack(&back, (const uint8_t *) bytes.data, len)
               == UX_OK);
    fuzz_check(memcmp(&back, &visitor, sizeof(back)) == 0);

    if (len > 0) {
        fuzz_check(ux_visitor_unpack(&back, (const uint8_t *) bytes.data,
                                     (size_t) choose(len)) == UX_ERROR);
    }

    fuzz_free(bytes);
}


/* Only what a visitor can be; zeros where nothing is said. */
static void
make_visitor(ux_visitor_t *visitor)
{
    unsigned  i;

    memset(visitor, 0, sizeof(*visitor));
    ux_visitor_init(visitor, choose(0), (uint32_t) choose(0));

    visitor->last_s = visitor->first_s + (uint32_t) moment();
    visitor->confirmed = choose(2);
    visitor->alias = choose(8) == 7;

    if (visitor->alias) {
        for (i = 0; i < UX_ALIAS_ID; i++) {
            visitor->alias_id[i] = (uint8_t) choose(256);
        }

        return;
    }

    visitor->error_seen = choose(2);
    visitor->cookie_hash = choose(2) ? choose(0) : 0;
    visitor->nids = (uint8_t) choose(UX_IDS_MAX + 1);
    visitor->next_id = visitor->nids < UX_IDS_MAX
                       ? visitor->nids : (uint8_t) choose(UX_IDS_MAX);

    for (i = 0; i < visitor->nids; i++) {
        visitor->ids[i] = (uint32_t) choose(0);
    }

    make_track(&visitor->tracks[0]);
    visitor->ntracks = (uint8_t) (1 + choose(UX_TRACKS_MAX));

    for (i = 1; i < visitor->ntracks; i++) {
        visitor->tracks[i].arm = (uint16_t) choose(UX_ARM_NONE);
        visitor->tracks[i].exposed_ms = moment();
        make_track(&visitor->tracks[i]);
    }

    make_pending(visitor);
}


static void
make_track(ux_track_t *track)
{
    bool      life;
    unsigned  i;

    life = (track->arm == UX_ARM_NONE);

    track->events = choose(2) ? choose(0) : 0;
    track->steps = choose(2) ? choose(0) : 0;

    for (i = 0; i < UX_TOTALS_MAX; i++) {
        if (choose(4) == 1) {
            track->totals[i] = (int64_t) choose(UX_TOTAL_MAX + 1ull);
        }

        if (!life && choose(4) == 1) {
            track->counts[i] = (uint16_t) choose(65536);
        }
    }

    make_carts(track, life);

    if (!life) {
        track->moved = choose(2);
        track->waiting = choose(2);
        track->crossed = choose(2);
        track->error_seen = choose(2);
        track->before = choose(2) ? choose(0) : 0;
        make_pasts(track);
    }
}


static void
make_carts(ux_track_t *track, bool life)
{
    unsigned    i;
    ux_cart_t  *cart;

    for (i = 0; i < UX_CARTS_MAX; i++) {
        cart = &track->carts[i];

        if (choose(4) != 1) {
            continue;
        }

        cart->state = (uint8_t) choose(UX_CART_DONE + 1);

        if (cart->state == UX_CART_OPEN) {
            cart->furthest = (uint8_t) choose(UX_FUNNEL_STEPS_MAX + 1);
            cart->created_ms = moment();
        }

        if (!life) {
            cart->carried_in = choose(2);
            cart->purchased = (uint16_t) choose(65536);
            cart->lacking = (uint16_t) choose(65536);
        }
    }
}


static void
make_pasts(ux_track_t *track)
{
    unsigned    i;
    ux_past_t  *past;

    track->npasts = (uint8_t) (choose(4) == 1 ? choose(UX_PASTS_MAX + 1) : 0);

    for (i = 0; i < track->npasts; i++) {
        past = &track->pasts[i];
        past->recovered = choose(2);
        past->cart = (uint8_t) choose(UX_CARTS_MAX);
        past->n = 1;

        if (!past->recovered || choose(2)) {
            past->created_ms = moment() | 1;

        } else {
            past->n = (uint16_t) (1 + choose(65535));
        }

        if (past->recovered) {
            past->furthest = (uint8_t) choose(UX_FUNNEL_STEPS_MAX + 1);
        }
    }
}


static void
make_pending(ux_visitor_t *visitor)
{
    unsigned     i;
    ux_event_t  *event;

    visitor->npending = (uint8_t) (choose(2) ? choose(UX_PENDING_MAX + 1) : 0);

    for (i = 0; i < visitor->npending; i++) {
        event = &visitor->pending[i];
        event->now_ms = moment();
        event->event = (uint8_t) choose(UX_EVENTS_MAX);
        event->currency = UX_CURRENCY_ZONE;
        event->has_value = choose(2);

        if (event->has_value) {
            event->value = (int64_t) choose(UX_MONEY_MAX + 1ull);
        }
    }
}


/* A number below n, or any where n is 0; 0 when the bytes are used up. */
static uint64_t
choose(uint64_t n)
{
    unsigned  i, width;
    uint64_t  value;

    width = n == 0 ? 8 : n <= 256 ? 1 : n <= 65536 ? 2 : 8;
    value = 0;

    for (i = 0; i < width && nchoices > 0; i++) {
        value = value << 8 | *choices++;
        nchoices--;
    }

    return n == 0 ? value : value % n;
}


/* Most are near the visitor's first one, some anywhere. */
static uint64_t
moment(void)
{
    return choose(4) ? choose(65536) : choose(0);
}
