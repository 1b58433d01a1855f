
/*
 * Copyright (C) the nginx-ux authors
 *
 * ux_report: carts by cohorts, against a simulation that looks at each cart,
 * and the report beside a process that counts.
 */

#include "report_fixture.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define CARTS_MAX   400
#define ACTIONS_MAX (3 * CARTS_MAX)


/* One cart of the simulation; times after its creation, 0: never. */
typedef struct {
    uint64_t  created;
    uint64_t  checkout;
    uint64_t  purchase;
} cart_t;


typedef struct {
    uint64_t  time;
    unsigned  cart;
    unsigned  what;                        /* 0 created, 1 checkout, 2 paid */
} action_t;


typedef struct {
    int64_t  created, open, purchased, abandoned, recovered, settled;
    int64_t  after[2];
} cohorts_t;


static void test_carts(void);
static void test_carts_at(uint64_t now, const cart_t *carts);
static void test_carts_shapes(void);
static void carts_make(cart_t *carts, uint64_t within);
static void carts_play(const cart_t *carts, uint64_t within, uint32_t base,
    uint32_t ring, uint64_t now);
static void cart_count(uint32_t base, uint32_t ring, unsigned cell,
    unsigned field, uint32_t bucket, int32_t delta, bool in_ring);
static int action_compare(const void *a, const void *b);
static void carts_expect(const cart_t *carts, uint64_t within, uint64_t now,
    cohorts_t *expected);
static void test_concurrent(void);
static void write_counters(uint32_t base, uint32_t cart, uint32_t ring);


int
main(void)
{
    if (!fixture_map()) {
        return 1;
    }

    test_carts();
    test_carts_shapes();
    test_concurrent();

    return done();
}


/* A simulation against its own ledger, at many moments. */
static void
test_carts(void)
{
    cart_t    carts[CARTS_MAX];
    uint64_t  now, from;
    unsigned  i;

    static const uint64_t  moments[] = {
        0, 1, 30000, 59999, 60000, 10 * 60000, 45 * 60000, HOUR - 1, HOUR,
        HOUR + 1, HOUR + 59999, HOUR + 60000, HOUR + 60001, 90 * 60000,
        2 * HOUR, 2 * HOUR + 12345, 3 * HOUR, 3 * HOUR + 60000, 5 * HOUR,
        40 * HOUR, 70 * 60000 + 59000, 80 * 60000 + 58000,
        100 * 60000 + 59500, 110 * 60000 + 19900, 120 * 60000 + 57000,
        130 * 60000 + 59900
    };

    carts_make(carts, HOUR);

    from = NOW - 3 * HOUR;

    for (i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        now = from + moments[i];
        test_carts_at(now, carts);
    }

    report.now_ms = NOW;
}


/* Two windows of one funnel, as after a reconfiguration: added up. */
static void
test_carts_at(uint64_t now, const cart_t *carts)
{
    int64_t      identity;
    cohorts_t    e;
    const char  *text;

    setup();

    report.now_ms = now;

    memset(&e, 0, sizeof(e));

    carts_play(carts, HOUR, cart_base[0], cart_ring[0], now);
    carts_expect(carts, HOUR, now, &e);
    carts_play(carts, 20 * 60000, cart_base[1], cart_ring[1], now);
    carts_expect(carts, 20 * 60000, now, &e);

    text = at(F "/carts");

    ok(field(text, "created") == e.created, "created %lld",
       (long long) e.created);
    ok(field(text, "open") == e.open, "open %lld", (long long) e.open);
    ok(field(text, "purchased") == e.purchased, "purchased %lld",
       (long long) e.purchased);
    ok(field(text, "abandoned") == e.abandoned, "abandoned %lld",
       (long long) e.abandoned);
    ok(field(text, "recovered") == e.recovered, "recovered %lld",
       (long long) e.recovered);
    ok(field(text, "settled") == e.settled, "settled %lld",
       (long long) e.settled);
    ok(field(text, "add_to_cart") == e.after[0]
       && field(text, "begin_checkout") == e.after[1],
       "after %lld, %lld", (long long) e.after[0], (long long) e.after[1]);

    identity = field(text, "open") + field(text, "purchased")
               + field(text, "abandoned");

    ok(field(text, "created") == identity,
       "created = open + purchased + abandoned");
}


static void
test_carts_shapes(void)
{
    uint32_t  bucket;

    setup();
    set_counts();

    ok(is(F "/carts/created", "90"), "created");
    ok(is(F "/carts/open", "4"), "open");
    ok(is(F "/carts/purchased", "31"), "purchased");
    ok(is(F "/carts/abandoned", "55"), "abandoned");
    ok(is(F "/carts/settled", "86"), "settled");
    ok(is(F "/carts/purchases_without_cart", "2"), "without a cart");
    ok(is(F "/carts/carried_in", "1"), "carried in");
    ok(near(F "/carts/abandonment_rate", 0.6395, 5e-5), "abandonment_rate");
    ok(near(F "/carts/abandonment_ci/0", 0.534, 5e-4), "its interval");
    ok(near(F "/carts/abandonment_ci/1", 0.733, 5e-4), "its upper end");
    ok(is(F "/biggest_loss", "{\"after\":\"add_to_cart\",\"carts\":40}"),
       "biggest loss");
    ok(is(F "/carts/abandoned_after", "{\"add_to_cart\":40,"
          "\"begin_checkout\":15,\"add_payment_info\":0}"),
       "abandoned_after, in funnel order, up to the purchase");

    /* The cart event is no step: k = 0, before the first step. */

    ok(is(V "/funnels/express/carts/abandoned_after",
          "{\"add_to_cart\":2,\"begin_checkout\":3}"),
       "a cart event that is no step comes first");
    ok(is(V "/funnels/express/biggest_loss",
          "{\"after\":\"begin_checkout\",\"carts\":3}"), "its biggest loss");

    /* A writer whose clock is a moment ahead, on the edge of a bucket. */

    bucket = (uint32_t) (NOW / ux_bucket_width_ms(HOUR) + 1);
    cart_count(cart_base[0], cart_ring[0], UX_CART_ALIVE + 1,
               UX_RING_ALIVE + 1, bucket, 1, true);
    ok(is(F "/carts/open", "5"), "a cart from the next bucket is open");
    cart_count(cart_base[0], cart_ring[0], UX_CART_ALIVE + 1,
               UX_RING_ALIVE + 1, bucket, -1, true);

    /* Steps the funnel no longer has. */

    count(cart_base[0] + UX_CART_ALIVE + 0, 1);
    count(cart_base[0] + UX_CART_ALIVE + 9, 2);

    ok(is(F "/carts/abandoned_after", "{\"add_to_cart\":41,"
          "\"begin_checkout\":15,\"add_payment_info\":2}"),
       "no cart is missing from the sum");
    ok(is(F "/carts/abandoned", "58"), "which is the sum");

    /* More in the ring than in the totals: a race. */

    count(cart_base[0] + UX_CART_ALIVE + 1, -43);
    ok(is(F "/carts/abandoned_after/add_to_cart", "1"), "never below 0");
    ok(is(F "/carts/open", "2"), "nor more open than there are");
    count(cart_base[0] + UX_CART_RECOVERED, 1000);
    ok(field(at(F "/carts"), "recovered")
       == field(at(F "/carts"), "abandoned"),
       "recovered is part of abandoned");

    ok(field(at(F "/carts"), "created")
       == field(at(F "/carts"), "open") + field(at(F "/carts"), "purchased")
          + field(at(F "/carts"), "abandoned"), "the identity holds");
}


static void
carts_make(cart_t *carts, uint64_t within)
{
    uint64_t  seed, r;
    unsigned  i;

    seed = 7;

    for (i = 0; i < CARTS_MAX; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        r = seed >> 33;

        /* two hours of them; some on the edges of buckets and windows */

        carts[i].created = NOW - 3 * HOUR + r % (2 * HOUR);

        if (i % 7 == 0) {
            carts[i].created -= carts[i].created % 60000;
        }

        carts[i].checkout = i % 3 == 0 ? 1 + r % (within / 2) : 0;
        carts[i].purchase = 0;

        if (i % 4 == 0) {
            carts[i].purchase = 1 + r % (2 * within);

        } else if (i % 40 == 1) {
            carts[i].purchase = within;

        } else if (i % 5 == 2) {
            carts[i].purchase = within + 1 + r % 1000;
        }
    }
}


/* Up to now, in the order it happened, as the event path counts it. */
static void
carts_play(const cart_t *carts, uint64_t within, uint32_t base,
    uint32_t ring, uint64_t now)
{
    bool           late;
    uint32_t       bucket;
    uint64_t       width, age;
    unsigned       i, n, k;
    const cart_t  *c;

    static action_t  actions[ACTIONS_MAX];

    n = 0;

    for (i = 0; i < CARTS_MAX; i++) {
        c = &carts[i];
        actions[n++] = (action_t) { c->created, i, 0 };

        if (c->checkout && c->checkout <= within) {
            actions[n++] = (action_t) { c->created + c->checkout, i, 1 };
        }

        if (c->purchase) {
            actions[n++] = (action_t) { c->created + c->purchase, i, 2 };
        }
    }

    qsort(actions, n, sizeof(action_t), action_compare);

    width = ux_bucket_width_ms(within);

    for (i = 0; i < n && actions[i].time <= now; i++) {
        c = &carts[actions[i].cart];
        bucket = (uint32_t) (c->created / width);
        age = actions[i].time - c->created;
        late = age > within + 2 * width;

        k = c->checkout && c->checkout <= within && c->checkout < age ? 2 : 1;

        if (actions[i].what == 0) {
            cart_count(base, ring, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
                       bucket, 1, true);

        } else if (actions[i].what == 1) {

            if (c->purchase && c->purchase <= c->checkout) {
                continue;
            }

            cart_count(base, ring, UX_CART_ALIVE + 2, UX_RING_ALIVE + 2,
                       bucket, 1, true);
            cart_count(base, ring, UX_CART_ALIVE + 1, UX_RING_ALIVE + 1,
                       bucket, -1, true);

        } else if (age <= within) {
            cart_count(base, ring, UX_CART_PURCHASED, UX_RING_PURCHASED,
                       bucket, 1, true);
            cart_count(base, ring, UX_CART_ALIVE + k, UX_RING_ALIVE + k,
                       bucket, -1, true);

        } else {
            cart_count(base, ring, UX_CART_RECOVERED, UX_RING_RECOVERED,
                       bucket, 1, !late);
        }
    }
}


static void
cart_count(uint32_t base, uint32_t ring, unsigned cell, unsigned ring_field,
    uint32_t bucket, int32_t delta, bool in_ring)
{
    count(base + cell, delta);

    if (in_ring) {
        ux_counter_ring_add(&store.counter,
                            ring + bucket % UX_BUCKETS * RING_WIDTH
                            + ring_field, bucket, delta);
    }
}


static int
action_compare(const void *a, const void *b)
{
    const action_t  *x, *y;

    x = a;
    y = b;

    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }

    if (x->cart != y->cart) {
        return x->cart < y->cart ? -1 : 1;
    }

    return x->what < y->what ? -1 : x->what > y->what;
}


/* Cart by cart, without counters. */
static void
carts_expect(const cart_t *carts, uint64_t within, uint64_t now,
    cohorts_t *expected)
{
    bool           settled, bought;
    uint64_t       width, age;
    unsigned       i, k;
    const cart_t  *c;

    width = ux_bucket_width_ms(within);

    for (i = 0; i < CARTS_MAX; i++) {
        c = &carts[i];

        if (c->created > now) {
            continue;
        }

        age = now - c->created;
        settled = (c->created / width + 1) * width + within <= now;
        bought = c->purchase && c->purchase <= within && c->purchase <= age;
        k = c->checkout && c->checkout <= within && c->checkout <= age;

        expected->created++;
        expected->settled += settled;

        if (bought) {
            expected->purchased++;

        } else if (!settled) {
            expected->open++;

        } else {
            expected->abandoned++;
            expected->after[k]++;
            expected->recovered += c->purchase && c->purchase <= age;
        }
    }
}


/*
 * Another process counts while this one reads.  It makes visitors before what
 * they did, as the event path does, and now and then takes one out.
 */
static void
test_concurrent(void)
{
    pid_t        pid;
    time_t       end;
    int64_t      n;
    unsigned     i, above, broken, moved;
    const char  *text;

    setup();

    pid = fork();

    if (pid == 0) {
        (void) alarm(60);              /* whatever becomes of the reader */
        write_counters(arm_base[3], cart_base[1], cart_ring[1]);
        _exit(0);
    }

    above = 0;
    broken = 0;
    moved = 0;
    n = 0;

    /* On a busy machine the writer's turn may be long in coming. */

    end = time(NULL) + 20;

    for (i = 0; (i < 150 || moved < 20) && time(NULL) < end; i++) {
        text = at(V);

        moved += field(text, "visitors") != n;
        n = field(text, "visitors");

        above += strtod(strstr(text, "\"rate\":") + 7, NULL) > 1
                 || field(strstr(text, "\"purchase\""), "visitors") > n
                 || field(strstr(text, "\"steps\""), "visitors") > n;

        text = strstr(text, "\"carts\"");

        broken += field(text, "created") != field(text, "open")
                                            + field(text, "purchased")
                                            + field(text, "abandoned")
                  || field(text, "recovered") > field(text, "abandoned")
                  || field(text, "abandoned") > field(text, "settled");
    }

    __atomic_store_n(&memory->stop, 1, __ATOMIC_RELEASE);

    ok(pid > 0 && waitpid(pid, NULL, 0) == pid, "a writer ran along");
    ok(moved >= 20, "its counts were seen to move, %u times", moved);
    ok(above == 0, "x <= n in every look");
    ok(broken == 0, "created = open + purchased + abandoned in every look");
}


static void
write_counters(uint32_t base, uint32_t cart, uint32_t ring)
{
    uint32_t  purchase, step, bucket;
    unsigned  i;

    purchase = event_cell(base, UX_ARM_EVENT_VISITORS, "purchase");
    step = event_cell(base, UX_ARM_EVENT_VISITORS, "add_to_cart");
    bucket = (uint32_t) (NOW / ux_bucket_width_ms(20 * 60000));

    store.counter.mine = store.counter.copies + 5 * OWN_CELLS;

    for (i = 0; !__atomic_load_n(&memory->stop, __ATOMIC_ACQUIRE); i++) {
        ux_counter_add(&store.counter, base + UX_ARM_ASSIGNED, 1);
        ux_counter_add(&store.counter, base + UX_ARM_VISITORS, 1);
        ux_counter_add(&store.counter, step, 1);
        ux_counter_add(&store.counter, purchase, 1);

        ux_counter_add(&store.counter, cart + UX_CART_ALIVE + 1, 1);
        ux_counter_ring_add(&store.counter,
                            ring + bucket % UX_BUCKETS * RING_WIDTH
                            + UX_RING_ALIVE + 1, bucket, 1);

        if (i % 3 == 0) {
            ux_counter_add(&store.counter, cart + UX_CART_PURCHASED, 1);
            ux_counter_add(&store.counter, cart + UX_CART_ALIVE + 1, -1);
        }

        if (i % 5 == 0) {
            ux_counter_add(&store.counter, purchase, -1);
            ux_counter_add(&store.counter, base + UX_ARM_VISITORS, -1);
        }
    }
}
