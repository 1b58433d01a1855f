
/*
 * Copyright (C) the nginx-ux authors
 */

#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_number.h"


static void test_percent(void);
static void test_weight(void);
static void test_weight_exact(void);
static void test_range(void);
static void test_money(void);
static void test_money_bounds(void);
static void test_currency(void);
static bool percent_is(const char *word, double want);
static bool no_percent(const char *word);
static bool weight_is(const char *word, double want);
static bool no_weight(const char *word);
static bool range_is(const char *word, double lo, double hi);
static bool no_range(const char *word);
static bool money_is(const char *word, unsigned exponent, int64_t want);
static bool no_money(const char *word, unsigned exponent);
static unsigned exponent_of(const char *code);
static ux_str_t exact(const char *s);


int
main(void)
{
    test_percent();
    test_weight();
    test_weight_exact();
    test_range();
    test_money();
    test_money_bounds();
    test_currency();

    return done();
}


static void
test_percent(void)
{
    unsigned     i;
    const char  *bad[] = {
        "", "%", "20", "20 %", " 20%", "+20%", "-0%", ".5%", "5.%", "1e1%",
        "100.1%", "101%", "20%%", "0x10%", "inf%", "nan%", "1.2.3%", "2,5%",
        "100.00000000000001%", "33.33333333333333%", "1000%",
        "0.0000000000000000001%", "18446744073709551620%"
    };

    ok(percent_is("0%", 0), "0%%");
    ok(percent_is("100%", 1), "100%%");
    ok(percent_is("100.00%", 1), "100.00%%");
    ok(percent_is("20%", 0.2), "20%% is the double 0.2");
    ok(percent_is("33.3%", 0.333), "33.3%% is the double 0.333");
    ok(percent_is("7%", 0.07), "7%% is the double 0.07");
    ok(percent_is("0.001%", 0.00001), "0.001%% is the double 1e-5");
    ok(percent_is("33.3333333333333%", 0.333333333333333), "15 digits");
    ok(percent_is("007%", 0.07), "leading zeros");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(no_percent(bad[i]), "no percentage: \"%s\"", bad[i]);
    }
}


static void
test_weight(void)
{
    unsigned     i;
    const char  *bad[] = {
        "", "-1", "+1", "1e3", "1.", ".1", "1 ", " 1", "0x1", "1000000001",
        "1000000000.1", "1..1", "1,5", "inf", "50%",
        "12345678901234567890", "0.0000000000000000001"
    };

    ok(weight_is("0", 0), "0");
    ok(weight_is("50", 50), "50");
    ok(weight_is("0.1", 0.1), "0.1");
    ok(weight_is("1000000000", 1e9), "10^9");
    ok(weight_is("1000000000.000", 1e9), "10^9 with a fraction of zeros");
    ok(weight_is("0.000000000000000001", 1e-18), "10^-18");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(no_weight(bad[i]), "no weight: \"%s\"", bad[i]);
    }
}


/* Nearest double: as the C library reads it in the "C" locale. */
static void
test_weight_exact(void)
{
    char       word[64];
    unsigned   i, wrong;
    uint64_t   x;

    ok(weight_is("0.3333333333333333", 0.3333333333333333), "16 digits");
    ok(weight_is("0.333333333333333333", 0.333333333333333333), "18 digits");
    ok(weight_is("9.007199254740993", 9.007199254740993), "above 2^53");

    wrong = 0;
    x = 1;

    for (i = 0; i < 20000; i++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;

        snprintf(word, sizeof(word), "%u.%0*llu",
                 (unsigned) (x >> 60), 1 + (int) (x % 18),
                 (unsigned long long) (x >> 5) % 100000000000000000ull);

        /* Some have more digits than a weight may: not the point here. */

        if (strlen(word) <= 19) {
            wrong += !weight_is(word, strtod(word, NULL));
        }
    }

    ok(wrong == 0, "%u of many weights are not the nearest double", wrong);

    /* Where the quotient has fewest bits to spare: just above a tie. */

    wrong = 0;

    for (i = 0; i < 5000; i++) {
        snprintf(word, sizeof(word), "0.00%llu", 9007199254740993ull + 7 * i);
        wrong += !weight_is(word, strtod(word, NULL));
    }

    ok(wrong == 0, "%u of many next to a tie are not", wrong);
}


static void
test_range(void)
{
    unsigned     i;
    const char  *bad[] = {
        "", "-", "%", "-%", "0-", "0-50", "50%", "0%-50%", "50-50%",
        "60-50%", "0-101%", "-1-50%", "0--50%", "0-50%-", "0 - 50%", "a-b%",
        "0-50-60%"
    };

    ok(range_is("0-50%", 0, 0.5), "0-50%%");
    ok(range_is("0-100%", 0, 1), "0-100%%");
    ok(range_is("33.3-66.6%", 0.333, 0.666), "33.3-66.6%%");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(no_range(bad[i]), "no range: \"%s\"", bad[i]);
    }
}


static void
test_money(void)
{
    unsigned     i;
    const char  *bad[] = {
        "", "-", ".", "-.", "1.", ".5", "-1", "-0.01", "-0.0001", "+1",
        "1e3", "1 ", " 1", "0x1", "inf", "nan", "1..2", "1.2.3", "1,2", "--0"
    };

    ok(money_is("49.90", 2, 4990), "49.90");
    ok(money_is("49.9", 2, 4990), "49.9");
    ok(money_is("49", 2, 4900), "49");
    ok(money_is("0", 2, 0), "0");
    ok(money_is("-0", 2, 0), "-0");
    ok(money_is("-0.00", 2, 0), "-0.00");
    ok(money_is("0.005", 2, 1), "half rounds up");
    ok(money_is("0.0049999999999999999999", 2, 0), "below half rounds down");
    ok(money_is("1.005", 2, 101), "half, where a double is below it");
    ok(money_is("19.999", 2, 2000), "rounding carries");
    ok(money_is("100", 0, 100), "no minor unit");
    ok(money_is("100.5", 0, 101), "no minor unit, half");
    ok(money_is("100.4", 0, 100), "no minor unit, below half");
    ok(money_is("1.2345", 3, 1235), "three digits");
    ok(money_is("1.2345", 4, 12345), "four digits");
    ok(money_is("0000000000000000000000000001.00", 2, 100), "many zeros");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ok(no_money(bad[i], 2), "no money: \"%s\"", bad[i]);
    }
}


static void
test_money_bounds(void)
{
    ok(money_is("10000000000", 2, UX_MONEY_MAX), "10^12 minor units");
    ok(money_is("1000000000000", 0, UX_MONEY_MAX), "10^12, exponent 0");
    ok(money_is("9999999999.995", 2, UX_MONEY_MAX), "rounds up to 10^12");
    ok(no_money("10000000000.01", 2), "10^12 + 1");
    ok(no_money("10000000000.005", 2), "rounds up to 10^12 + 1");
    ok(no_money("1000000000001", 0), "10^12 + 1, exponent 0");
    ok(no_money("1000000000000", 2), "10^14");
    ok(no_money("99999999999999999999999999999999", 4), "far beyond");
}


static void
test_currency(void)
{
    bool      sorted;
    unsigned  i;
    ux_str_t  a, b;

    ok(ux_currency_count() >= 170
       && ux_currency_count() <= UX_CURRENCIES_MAX, "%u currencies",
       ux_currency_count());

    sorted = true;

    for (i = 1; i < ux_currency_count(); i++) {
        a = ux_currency_code(i - 1);
        b = ux_currency_code(i);
        sorted = sorted && memcmp(a.data, b.data, 3) < 0;
    }

    ok(sorted, "in alphabetical order, none twice");

    for (i = 0; i < ux_currency_count(); i++) {
        if (ux_currency_find(ux_currency_code(i)) != (int) i) {
            break;
        }
    }

    ok(i == ux_currency_count(), "each is found at its place");

    ok(ux_currency_unit((unsigned) ux_currency_find(exact("JPY"))) == 1
       && ux_currency_unit((unsigned) ux_currency_find(exact("EUR"))) == 100
       && ux_currency_unit((unsigned) ux_currency_find(exact("KWD"))) == 1000
       && ux_currency_unit((unsigned) ux_currency_find(exact("CLF"))) == 10000
       && ux_currency_unit(ux_currency_count()) == 1,
       "minor units in a major one");

    /* Zones keep these numbers. */

    ok(ux_currency_find(exact("AED")) == 0, "AED has number 0");
    ok(ux_currency_find(exact("EUR")) == 46, "EUR has number 46");
    ok(ux_currency_find(exact("ZWG")) == 178, "ZWG has number 178");

    ok(ux_currency_find(exact("eur")) == -1, "lower case is no currency");
    ok(ux_currency_find(exact("EU")) == -1, "nor are two letters");
    ok(ux_currency_find(exact("EURO")) == -1, "nor four");
    ok(ux_currency_find(exact("DEM")) == -1, "nor is the past");

    ok(exponent_of("EUR") == 2 && exponent_of("USD") == 2, "EUR, USD: 2");
    ok(exponent_of("JPY") == 0 && exponent_of("KRW") == 0, "JPY, KRW: 0");
    ok(exponent_of("ISK") == 0 && exponent_of("XPF") == 0, "ISK, XPF: 0");
    ok(exponent_of("KWD") == 3 && exponent_of("TND") == 3, "KWD, TND: 3");
    ok(exponent_of("CLF") == 4 && exponent_of("UYW") == 4, "CLF, UYW: 4");

    ok(ux_currency_code(ux_currency_count()).len == 0, "none beyond");
}


static bool
percent_is(const char *word, double want)
{
    double    share;
    ux_str_t  s;

    s = exact(word);
    share = -1;

    return ux_number_percent(s, &share) == UX_OK && share == want;
}


static bool
no_percent(const char *word)
{
    double  share;

    share = -7;

    return ux_number_percent(exact(word), &share) == UX_ERROR && share == -7;
}


static bool
weight_is(const char *word, double want)
{
    double  weight;

    return ux_number_weight(exact(word), &weight) == UX_OK && weight == want;
}


static bool
no_weight(const char *word)
{
    double  weight;

    weight = -7;

    return ux_number_weight(exact(word), &weight) == UX_ERROR
           && weight == -7;
}


static bool
range_is(const char *word, double lo, double hi)
{
    double  from, to;

    return ux_number_range(exact(word), &from, &to) == UX_OK
           && from == lo && to == hi;
}


static bool
no_range(const char *word)
{
    double  from, to;

    from = -7;
    to = -7;

    return ux_number_range(exact(word), &from, &to) == UX_ERROR
           && from == -7 && to == -7;
}


static bool
money_is(const char *word, unsigned exponent, int64_t want)
{
    int64_t  minor;

    return ux_money_parse(exact(word), exponent, &minor) == UX_OK
           && minor == want;
}


static bool
no_money(const char *word, unsigned exponent)
{
    int64_t  minor;

    minor = -7;

    return ux_money_parse(exact(word), exponent, &minor) == UX_ERROR
           && minor == -7;
}


static unsigned
exponent_of(const char *code)
{
    int  i;

    i = ux_currency_find(exact(code));

    return (i < 0) ? 99 : ux_currency_exponent((unsigned) i);
}


/*
 * The word at the very end of a heap block, so that AddressSanitizer sees a
 * read past it.  The last one is freed by the next.
 */
static ux_str_t
exact(const char *s)
{
    ux_str_t      result;
    static char  *block;

    free(block);

    result.len = strlen(s);
    block = malloc(result.len ? result.len : 1);
    memcpy(block, s, result.len);
    result.data = block;

    return result;
}
