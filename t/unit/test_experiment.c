
/*
 * Copyright (C) the nginx-ux authors
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_experiment.h"
#include "ux_hash.h"
#include "ux_number.h"


#define COLUMNS  7


/* An experiment and the memory of its names. */
typedef struct {
    ux_experiment_t  e;
    char             spec[1024];
    char             options[1024];
    char             salt[1024];
} fixture_t;


static void test_golden(void);
static bool golden_line(char *line);
static bool golden_hashes(const ux_experiment_t *e, ux_str_t key,
    char *const *columns);
static bool build(fixture_t *f, const char *spec, const char *options);
static void test_edges(void);
static void test_no_variant(void);
static void test_fingerprint(void);
static void test_check(void);
static bool refuses(const ux_experiment_t *e, const char *word,
    const char *expected);
static ux_str_t str(const char *s);
static size_t unescape(char *s);


int
main(void)
{
    test_golden();
    test_edges();
    test_no_variant();
    test_fingerprint();
    test_check();

    return done();
}


static void
test_golden(void)
{
    FILE         *f;
    char          path[4096];
    static char   line[16384];
    unsigned      seen, wrong;
    const char   *dir;

    dir = getenv("UX_SOURCE_DIR");
    snprintf(path, sizeof(path), "%s/t/golden/assign.tsv", dir ? dir : ".");

    f = fopen(path, "r");

    if (!ok(f != NULL, "%s opens", path)) {
        return;
    }

    seen = 0;
    wrong = 0;

    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#') {
            continue;
        }

        line[strcspn(line, "\n")] = '\0';
        seen++;

        if (!golden_line(line)) {
            wrong++;
            printf("# golden line %u differs\n", seen);
        }
    }

    fclose(f);

    ok(seen > 700, "golden lines read: %u", seen);
    ok(wrong == 0, "golden lines that differ: %u", wrong);
}


static bool
golden_line(char *line)
{
    int         variant;
    char       *columns[COLUMNS];
    unsigned    i;
    ux_str_t    key, name;
    fixture_t   f;

    for (i = 0; i < COLUMNS; i++) {
        columns[i] = strsep(&line, "\t");

        if (columns[i] == NULL) {
            return false;
        }
    }

    if (!build(&f, columns[0], columns[1])) {
        return false;
    }

    key.data = columns[2];
    key.len = unescape(columns[2]);

    variant = ux_experiment_assign(&f.e, key);
    name = (variant == UX_VARIANT_NONE) ? str("-")
                                        : f.e.variants[variant].name;

    return golden_hashes(&f.e, key, columns)
           && ux_str_equal(name, str(columns[6]));
}


static bool
golden_hashes(const ux_experiment_t *e, ux_str_t key, char *const *columns)
{
    char      *p;
    uint64_t   h;
    unsigned   i;

    if (e->layer.len) {
        h = ux_hash_assign(e->layer, str("layer"), str(""), key);

        if (h != strtoull(columns[3], NULL, 16)) {
            return false;
        }

    } else if (strcmp(columns[3], "-") != 0) {
        return false;
    }

    h = ux_hash_assign(e->salt, str("enrol"), str(""), key);

    if (h != strtoull(columns[4], NULL, 16)) {
        return false;
    }

    p = columns[5];

    for (i = 0; i < e->nvariants; i++) {
        h = ux_hash_assign(e->salt, str("arm:"), e->variants[i].name, key);

        if (h != strtoull(p, &p, 16)) {
            return false;
        }

        if (*p++ != (i + 1 < e->nvariants ? ',' : '\0')) {
            return false;
        }
    }

    return true;
}


/* "name:v=1,w=2" and "--traffic=10% --layer=l:0-50% --salt=s --version=2". */
static bool
build(fixture_t *f, const char *spec, const char *options)
{
    char          *p, *word, *weight, *version;
    ux_status_t    rc;
    ux_variant_t  *v;

    memset(f, 0, sizeof(*f));
    snprintf(f->spec, sizeof(f->spec), "%s", spec);
    snprintf(f->options, sizeof(f->options), "%s", options);

    rc = UX_OK;
    version = NULL;
    f->e.traffic = 1;
    f->e.version = 1;

    p = f->spec;
    f->e.name = str(strsep(&p, ":"));
    f->e.salt = f->e.name;

    while (p != NULL) {
        weight = strsep(&p, ",");
        v = &f->e.variants[f->e.nvariants++];
        v->name = str(strsep(&weight, "="));
        rc |= ux_number_weight(str(weight), &v->weight);
    }

    p = f->options;

    while (p != NULL && strcmp(options, "-") != 0 && *p != '\0') {
        word = strsep(&p, " ");

        if (strncmp(word, "--traffic=", 10) == 0) {
            rc |= ux_number_percent(str(word + 10), &f->e.traffic);

        } else if (strncmp(word, "--salt=", 7) == 0) {
            f->e.salt = str(word + 7);

        } else if (strncmp(word, "--version=", 10) == 0) {
            version = word + 10;

        } else if (strncmp(word, "--layer=", 8) == 0) {
            word += 8;
            f->e.layer = str(strsep(&word, ":"));
            rc |= ux_number_range(str(word), &f->e.layer_lo, &f->e.layer_hi);

        } else {
            return false;
        }
    }

    if (version != NULL) {
        snprintf(f->salt, sizeof(f->salt), "%.*s#%s", (int) f->e.salt.len,
                 f->e.salt.data, version);
        f->e.salt = str(f->salt);
    }

    return rc == UX_OK;
}


/* Bounds are exact: enrolled below traffic, layers half-open. */
static void
test_edges(void)
{
    double     u;
    ux_str_t   key = ux_str("edge");
    fixture_t  f;

    ok(build(&f, "edge:a=1,b=1", "-"), "fixture");

    u = ux_hash_unit(ux_hash_assign(f.e.salt, str("enrol"), str(""), key));

    f.e.traffic = u;
    ok(ux_experiment_assign(&f.e, key) == UX_VARIANT_NONE,
       "u equal to traffic is out");

    f.e.traffic = nextafter(u, 1);
    ok(ux_experiment_assign(&f.e, key) != UX_VARIANT_NONE,
       "u just below traffic is in");

    f.e.traffic = 1;
    f.e.layer = str("page");
    u = ux_hash_unit(ux_hash_assign(f.e.layer, str("layer"), str(""), key));

    f.e.layer_lo = u;
    f.e.layer_hi = 1;
    ok(ux_experiment_assign(&f.e, key) != UX_VARIANT_NONE,
       "u equal to the lower bound is in");

    f.e.layer_lo = 0;
    f.e.layer_hi = u;
    ok(ux_experiment_assign(&f.e, key) == UX_VARIANT_NONE,
       "u equal to the upper bound is out");

    f.e.layer_hi = nextafter(u, 1);
    ok(ux_experiment_assign(&f.e, key) != UX_VARIANT_NONE,
       "u just below the upper bound is in");
}


static void
test_no_variant(void)
{
    int        got, first;
    fixture_t  f;

    (void) build(&f, "none:a=0,b=0", "-");
    ok(ux_experiment_assign(&f.e, str("k")) == UX_VARIANT_NONE,
       "all weights 0 give nobody anything");

    f.e.nvariants = 0;
    ok(ux_experiment_assign(&f.e, str("k")) == UX_VARIANT_NONE,
       "no variants give nobody anything");

    /*
     * The same name twice is the one tie that can be made; the check refuses
     * it, and assignment still has one answer.
     */

    (void) build(&f, "none:a=1,a=1", "-");
    first = ux_experiment_assign(&f.e, str("k"));
    ok(first == 0, "a tie of equal names goes to the first");

    (void) build(&f, "none:a=1,b=1", "-");
    f.e.variants[0].weight = NAN;
    got = ux_experiment_assign(&f.e, str("k"));
    ok(got == 1, "a weight that is no number takes nobody");
}


static void
test_fingerprint(void)
{
    uint64_t   base;
    fixture_t  f;

    (void) build(&f, "fp:a=1,b=2,c=3", "--layer=l:0-50% --traffic=10%");
    base = ux_experiment_fingerprint(&f.e);

    f.e.planned = 5;
    f.e.sticky = true;
    f.e.window_ms = 7;
    ok(ux_experiment_fingerprint(&f.e) == base, "what opens no epoch");

    (void) build(&f, "fp:a=1,c=3,b=2", "--layer=l:0-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) == base, "order of further lines");

    (void) build(&f, "fp:b=2,a=1,c=3", "--layer=l:0-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "another control");

    (void) build(&f, "fp:a=1,b=3,c=2", "--layer=l:0-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "weights swapped");

    (void) build(&f, "fp:a=1,b=2,d=3", "--layer=l:0-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "a variant renamed");

    (void) build(&f, "fp:a=1,b=2", "--layer=l:0-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "a variant dropped");

    (void) build(&f, "fp:a=1,b=2,c=3", "--layer=l:0-50% --traffic=11%");
    ok(ux_experiment_fingerprint(&f.e) != base, "traffic");

    (void) build(&f, "fp:a=1,b=2,c=3", "--layer=l:0-51% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "the layer's upper bound");

    (void) build(&f, "fp:a=1,b=2,c=3", "--layer=l:1-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "the layer's lower bound");

    (void) build(&f, "fp:a=1,b=2,c=3", "--layer=m:0-50% --traffic=10%");
    ok(ux_experiment_fingerprint(&f.e) != base, "the layer");

    (void) build(&f, "fp:a=1,b=2,c=3",
                 "--layer=l:0-50% --traffic=10% --salt=other");
    ok(ux_experiment_fingerprint(&f.e) != base, "the salt");

    (void) build(&f, "fp:a=1,b=2,c=3", "-");
    base = ux_experiment_fingerprint(&f.e);
    f.e.layer_hi = 1;
    ok(ux_experiment_fingerprint(&f.e) == base, "a range without a layer");
}


static void
test_check(void)
{
    fixture_t   f;
    ux_error_t  error;

    (void) build(&f, "good:control=50,One.page-2=0", "--layer=page:0-50%");
    ok(ux_experiment_check(&f.e, &error) == UX_OK, "a good experiment");

    f.e.nvariants = 1;
    ok(refuses(&f.e, "\"good\" has 1 variant:", "2 to 16"), "one variant");

    f.e.nvariants = 17;
    ok(refuses(&f.e, "17 variants", "2 to 16"), "seventeen variants");

    (void) build(&f, "zero:a=0,b=0", "-");
    ok(refuses(&f.e, "\"zero\"", "at least one above 0"), "all weights 0");

    (void) build(&f, "twice:a=1,b=1,a=1", "-");
    ok(refuses(&f.e, "\"a\" is given twice", "different"), "a name twice");

    (void) build(&f, "case:a=1,A=1", "-");
    ok(ux_experiment_check(&f.e, &error) == UX_OK, "names differ by case");

    (void) build(&f, "bad:a=1,2b=1", "-");
    ok(refuses(&f.e, "\"2b\"", "expected a letter"), "a variant's name");

    (void) build(&f, "Bad:a=1,b=1", "-");
    ok(refuses(&f.e, "\"Bad\"", "lower-case"), "the experiment's name");

    (void) build(&f, "bad:a=1,b=1", "-");
    f.e.salt.len = 0;
    ok(refuses(&f.e, "empty salt", "at least one byte"), "an empty salt");

    (void) build(&f, "bad:a=1,b=1", "-");
    f.e.traffic = NAN;
    ok(refuses(&f.e, "traffic", "0% to 100%"), "traffic that is no number");

    f.e.traffic = 1;
    f.e.variants[1].weight = -1;
    ok(refuses(&f.e, "\"b\" has weight -1", "0 to 1000000000"), "weight");

    (void) build(&f, "bad:a=1,b=1", "--layer=P:0-50%");
    ok(refuses(&f.e, "\"P\"", "lower-case"), "the layer's name");

    (void) build(&f, "bad:a=1,b=1", "--layer=p:0-50%");
    f.e.layer_lo = 0.5;
    ok(refuses(&f.e, "50-50% of layer \"p\"", "from < to"), "empty range");
}


static bool
refuses(const ux_experiment_t *e, const char *word, const char *expected)
{
    ux_error_t  error;

    memset(&error, 0, sizeof(error));

    if (ux_experiment_check(e, &error) == UX_OK) {
        return false;
    }

    printf("# %s\n", error.message);

    return strstr(error.message, word) != NULL
           && strstr(error.message, expected) != NULL;
}


static ux_str_t
str(const char *s)
{
    ux_str_t  result;

    result.data = s;
    result.len = strlen(s);

    return result;
}


/* \xHH in place; returns the length, as bytes may be NUL. */
static size_t
unescape(char *s)
{
    char    hex[3];
    size_t  n;

    for (n = 0; *s != '\0'; n++) {

        if (s[0] == '\\' && s[1] == 'x') {
            memcpy(hex, s + 2, 2);
            hex[2] = '\0';
            s[0] = (char) strtoul(hex, NULL, 16);
            memmove(s + 1, s + 4, strlen(s + 4) + 1);
        }

        s++;
    }

    return n;
}
