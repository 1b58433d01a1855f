
/*
 * Copyright (C) the nginx-ux authors
 */

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_hash.h"


static void test_golden(void);
static void test_assign_bytes(void);
static void test_assign_long(void);
static void test_unit(void);
static void test_key(void);
static void test_key_aimed(void);
static void test_key_bits(void);
static ux_str_t str(const char *s);


int
main(void)
{
    test_golden();
    test_assign_bytes();
    test_assign_long();
    test_unit();
    test_key();
    test_key_aimed();
    test_key_bits();

    return done();
}


/* Every length class, against a second implementation. */
static void
test_golden(void)
{
    FILE                *f;
    char                 path[4096], line[256];
    unsigned             i, n, wrong, seen;
    const char          *dir;
    static uint8_t       data[4096];
    unsigned long long   want;

    dir = getenv("UX_SOURCE_DIR");
    snprintf(path, sizeof(path), "%s/t/golden/xxh3.tsv", dir ? dir : ".");

    f = fopen(path, "r");

    if (!ok(f != NULL, "%s opens", path)) {
        return;
    }

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t) (i * 167 + 13);
    }

    wrong = 0;
    seen = 0;

    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%u\t%llx", &n, &want) == 2 && n <= sizeof(data)) {
            seen++;
            wrong += (ux_hash64(data, n) != want);
        }
    }

    fclose(f);

    ok(seen > 300, "golden lengths read: %u", seen);
    ok(wrong == 0, "golden hashes that differ: %u", wrong);
}


static void
test_assign_bytes(void)
{
    uint64_t  h;

    h = ux_hash_assign(str("salt"), str("arm:"), str("b"), str("key"));

    ok(h == ux_hash64("salt\0arm:b\0key", 14), "salt, purpose+suffix, key");
    ok(h == ux_hash_assign(str("salt"), str("arm:b"), str(""), str("key")),
       "the suffix is part of the purpose");
    ok(h != ux_hash_assign(str("salt"), str("arm:"), str("bk"), str("ey")),
       "parts are apart");
    ok(ux_hash_assign(str(""), str(""), str(""), str(""))
       == ux_hash64("\0\0", 2), "nothing but the separators");
    ok(ux_hash64("", 0) == 0x2d06800538d394c2ull, "published: no bytes");
}


/* The buffer's bound must not show. */
static void
test_assign_long(void)
{
    char         *all, *key;
    size_t        n, wrong;
    ux_str_t      k;
    const size_t  max = UX_HASH_INPUT_MAX + 600;

    all = malloc(max + 16);
    key = malloc(max);

    for (n = 0; n < max; n++) {
        key[n] = (char) (n * 31 + 7);
    }

    memcpy(all, "s\0enrol\0", 8);
    memcpy(all + 8, key, max);

    wrong = 0;

    for (n = UX_HASH_INPUT_MAX - 20; n <= max; n++) {
        k.data = key;
        k.len = n;

        wrong += (ux_hash_assign(str("s"), str("enrol"), str(""), k)
                  != ux_hash64(all, n + 8));
    }

    ok(wrong == 0, "streamed inputs equal buffered ones (%zu differ)", wrong);

    k.data = key;
    k.len = max;

    ok(ux_hash_assign(k, str("enrol"), str(""), str("s"))
       != ux_hash_assign(str("s"), str("enrol"), str(""), k), "long salt");

    free(all);
    free(key);
}


static void
test_unit(void)
{
    ok(ux_hash_unit(0) == 0x1p-53, "lowest unit is above 0");
    ok(ux_hash_unit(UINT64_MAX) == 1 - 0x1p-53, "highest unit is below 1");
    ok(ux_hash_unit(0xfff) == ux_hash_unit(0), "the last 12 bits are dropped");
    ok(ux_hash_unit(0x1000) == 0x3p-53, "one step is 2^-52");
    ok(ux_hash_unit(0x8000000000000000ull) == 0.5 + 0x1p-53, "the middle");
}


static void
test_key(void)
{
    ux_key_t  a, b, c, d;

    const uint64_t  one[2] = { 1, 2 }, left[2] = { 3, 2 }, right[2] = { 1, 3 };

    a = ux_hash_key(one, str("0123456789abcdef0123456789abcdef"));
    b = ux_hash_key(one, str("0123456789abcdef0123456789abcdef"));
    c = ux_hash_key(left, str("0123456789abcdef0123456789abcdef"));
    d = ux_hash_key(right, str("0123456789abcdef0123456789abcdef"));

    ok(a.id == b.id && a.place == b.place, "a key hashes the same twice");
    ok(a.id != a.place && ux_hash_key_of(a.id).id == a.id
       && ux_hash_key_of(a.id).place == a.place,
       "the place follows from the identity");
    ok(a.id != c.id && a.place != c.place, "first half of the index key");
    ok(a.id != d.id && a.place != d.place, "second half of the index key");

    /* Zones keep these: they may never change. */

    ok(a.id == 0x27fb4fb2a91bd262ull, "pinned id: %016llx",
       (unsigned long long) a.id);
    ok(a.place == 0xbab21705f514bc3cull, "pinned place: %016llx",
       (unsigned long long) a.place);
    ok(ux_hash_keyed(one, str("value")) == 0x1adb83cf0fdd92aaull,
       "pinned keyed: %016llx",
       (unsigned long long) ux_hash_keyed(one, str("value")));

    ok(ux_hash_keyed(one, str("value")) != ux_hash_keyed(left, str("value")),
       "a keyed hash depends on the key");
    ok(ux_hash_keyed(one, str("value")) != ux_hash_key(one, str("value")).id,
       "uses of one key are apart");
    ok(ux_hash_key(one, str("")).id != ux_hash_key(left, str("")).id,
       "even the empty visitor key is keyed");
}


/*
 * Keys chosen to be alike under the public assignment hash, as somebody would
 * who aims at one place in the table, are spread by the zone's key.
 */
static void
test_key_aimed(void)
{
    char      text[32];
    unsigned  i, found, most, places[256];

    const uint64_t  zone[2] = { 0x1234567890abcdefull, 42 };

    memset(places, 0, sizeof(places));
    most = 0;

    for (i = 0, found = 0; found < 4096; i++) {
        snprintf(text, sizeof(text), "visitor-%u", i);

        if ((ux_hash64(text, strlen(text)) & 0x7f) != 0) {
            continue;
        }

        found++;
        places[ux_hash_key(zone, str(text)).place >> 56]++;
    }

    for (i = 0; i < 256; i++) {
        if (places[i] > most) {
            most = places[i];
        }
    }

    /* 16 on average: 40 is six standard deviations away */

    ok(most < 40, "aimed keys are spread: at most %u of 4096 in one of 256 "
       "places", most);
}


/* Each output bit is set by about half of the visitors. */
static void
test_key_bits(void)
{
    int       bit;
    char      text[32];
    bool      fair;
    ux_key_t  k;
    unsigned  i, ones[128];

    const uint64_t  zero[2] = { 0, 0 };

    memset(ones, 0, sizeof(ones));

    for (i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "visitor-%u", i);
        k = ux_hash_key(zero, str(text));

        for (bit = 0; bit < 64; bit++) {
            ones[bit] += (unsigned) (k.id >> bit & 1);
            ones[bit + 64] += (unsigned) (k.place >> bit & 1);
        }
    }

    fair = true;

    for (bit = 0; bit < 128; bit++) {
        fair = fair && ones[bit] > 9600 && ones[bit] < 10400;
    }

    ok(fair, "every bit is fair, under an index key of zeros too");
}


static ux_str_t
str(const char *s)
{
    ux_str_t  result;

    result.data = s;
    result.len = strlen(s);

    return result;
}
