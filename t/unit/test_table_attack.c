
/*
 * Copyright (C) the nginx-ux authors
 *
 * Who can compute the public hash, or that of another zone, cannot choose
 * where visitors lie: their keys find room like any others.
 */

#include "table_case.h"


#define ATTACK_BUCKETS   200u
#define ATTACK_VISITORS  2000u
#define ATTACK_TRIES     30000000u


/* Where a key lies as the attacker believes it. */
typedef uint64_t (*attack_pt)(ux_str_t key);

static uint64_t by_public_hash(ux_str_t key);
static uint64_t by_assignment(ux_str_t key);
static uint64_t by_other_zone(ux_str_t key);
static void test_attack(const char *name, attack_pt place);
static bool lies_low(attack_pt place, ux_str_t key);
static ux_str_t attack_name(char *buf, uint64_t n);
static void insert(ux_table_t *table, ux_key_t key,
    ux_table_effects_t *effects);


static const uint64_t  our_key[2] = {
    0x243f6a8885a308d3ull, 0x13198a2e03707344ull
};


int
main(void)
{
    test_attack("the public hash", by_public_hash);
    test_attack("the hash of an assignment", by_assignment);
    test_attack("the places of another zone", by_other_zone);

    return done();
}


static uint64_t
by_public_hash(ux_str_t key)
{
    return ux_hash64(key.data, key.len);
}


static uint64_t
by_assignment(ux_str_t key)
{
    return ux_hash_assign((ux_str_t) ux_str("layout"),
                          (ux_str_t) ux_str("arm:"),
                          (ux_str_t) ux_str("control"), key);
}


static uint64_t
by_other_zone(ux_str_t key)
{
    const uint64_t  known[2] = { 0, 0 };

    return ux_hash_key(known, key).place;
}


/*
 * Keys that would all lie in one 64th of the buckets, both of their two, are
 * put into a table that is not two thirds full: nobody has to go.
 */
static void
test_attack(const char *name, attack_pt place)
{
    char                buf[16];
    uint64_t            n;
    unsigned            crowd, found, lost;
    ux_key_t            key;
    ux_str_t            s;
    case_table_t        c;
    ux_table_effects_t  effects;

    c = case_table(2, ATTACK_BUCKETS);
    case_join(&c);

    found = 0;
    lost = 0;
    crowd = 0;

    for (n = 0; n < ATTACK_TRIES && found < ATTACK_VISITORS; n++) {
        s = attack_name(buf, n);

        if (!lies_low(place, s)) {
            continue;
        }

        key = ux_hash_key(our_key, s);
        insert(&c.table, key, &effects);

        found++;
        lost += effects.evicted;
        crowd += key.place >> 58 == 0;
    }

    ok(found == ATTACK_VISITORS, "%s: %u keys that collide", name, found);
    ok(lost == 0, "%s: %u of them drove somebody out", name, lost);
    ok(crowd < ATTACK_VISITORS / 16, "%s: %u are where they would be", name,
       crowd);

    case_free(&c);
}


/* Six bits of each half: what the two buckets are made of. */
static bool
lies_low(attack_pt place, ux_str_t key)
{
    uint64_t  h;

    h = place(key);

    return (h >> 58) == 0 && (h >> 26 & 0x3f) == 0;
}


static ux_str_t
attack_name(char *buf, uint64_t n)
{
    size_t  i;

    for (i = 0; i < 16; i++) {
        buf[i] = (char) ('a' + (n >> (4 * i) & 15));
    }

    return (ux_str_t) { buf, 16 };
}


static void
insert(ux_table_t *table, ux_key_t key, ux_table_effects_t *effects)
{
    ux_turn_t     turn;
    ux_visitor_t  visitor;

    memset(effects, 0, sizeof(*effects));

    if (ux_table_open(table, key, NOW, &visitor, &turn) != UX_OK) {
        effects->evicted = 1;
        return;
    }

    visitor.confirmed = true;
    (void) ux_table_commit(table, &turn, &visitor, NOW, effects);
}
