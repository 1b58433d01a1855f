
/*
 * Copyright (C) the nginx-ux authors
 *
 * Shares, weights, ranges and money.  What a word is, is asked of strtod() in
 * the C locale, which rounds rightly, and of a look at each byte.
 */

#include "fuzz.h"
#include "ux_number.h"


#define TEXT_MAX  64


typedef struct {
    bool      number;                  /* digits[.digits] */
    size_t    fraction;                /* digits after the point */
    size_t    significant;
} shape_t;


static shape_t shape_of(ux_str_t word);
static bool is_number(ux_str_t word);
static void check_percent(ux_str_t word);
static void check_weight(ux_str_t word);
static void check_range(ux_str_t word);
static void check_money(ux_str_t word, unsigned exponent);
static void check_minor(ux_str_t word, unsigned exponent, int64_t minor);
static void check_currency(ux_str_t word);
static double value_of(ux_str_t word, const char *scale);


const char *const  fuzz_words[] = {
    "50%", "0%", "100%", "100.0000001%", "33.33%", "0-50%", "50-100%", "0.5",
    ".", "-", "%", "%%", "1e2%", "0x32%", "inf", "nan", "-0", "-0.00", "+1",
    "1000000000", "1000000000000", "1000000000000.005", "0.000000000000000001",
    "99999999999999999999", "0.5000000000000000", "EUR", "JPY", "KWD", ",",
    NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned  exponent;
    ux_str_t  word;

    word = fuzz_copy(data, size);

    check_percent(word);
    check_weight(word);
    check_range(word);
    check_currency(word);

    for (exponent = 0; exponent <= 4; exponent++) {
        check_money(word, exponent);
    }

    fuzz_free(word);

    return 0;
}


static shape_t
shape_of(ux_str_t word)
{
    bool     point;
    size_t   i;
    shape_t  shape = { false, 0, 0 };

    point = false;

    for (i = 0; i < word.len; i++) {

        if (word.data[i] == '.' && !point && i > 0 && i + 1 < word.len) {
            point = true;
            continue;
        }

        if (word.data[i] < '0' || word.data[i] > '9') {
            return shape;
        }

        shape.fraction += point;
        shape.significant += (shape.significant > 0 || word.data[i] != '0');
    }

    shape.number = word.len > 0;

    return shape;
}


static bool
is_number(ux_str_t word)
{
    return shape_of(word).number;
}


static void
check_percent(ux_str_t word)
{
    bool      valid;
    double    share, value;
    shape_t   shape;
    ux_str_t  digits;

    share = -1;
    valid = ux_number_percent(word, &share) == UX_OK;

    digits = word;
    digits.len -= (word.len > 0);
    shape = shape_of(digits);

    if (word.len == 0 || word.data[word.len - 1] != '%' || !shape.number
        || shape.fraction > 18 || shape.significant > 15)
    {
        fuzz_check(!valid && share < 0);
        return;
    }

    value = value_of(digits, "e-2");

    fuzz_check(valid == (value <= 1));
    fuzz_check(!valid || share == value);
}


static void
check_weight(ux_str_t word)
{
    bool     valid;
    double   weight, value;
    shape_t  shape;

    weight = -1;
    valid = ux_number_weight(word, &weight) == UX_OK;
    shape = shape_of(word);

    if (!shape.number || shape.fraction > 18 || shape.significant > 19) {
        fuzz_check(!valid && weight < 0);
        return;
    }

    value = value_of(word, "");

    fuzz_check(valid == (value <= UX_WEIGHT_MAX));
    fuzz_check(!valid || weight == value);
}


/* Exactly when both ends are shares, in order. */
static void
check_range(ux_str_t word)
{
    bool         valid;
    char         from[TEXT_MAX];
    double       lo, hi, left, right;
    ux_str_t     head, tail;
    const char  *dash;

    valid = ux_number_range(word, &lo, &hi) == UX_OK;
    dash = word.len > 0 ? memchr(word.data, '-', word.len) : NULL;

    if (dash == NULL || dash - word.data >= TEXT_MAX - 1) {
        fuzz_check(!valid || dash != NULL);
        return;
    }

    head.data = from;
    head.len = (size_t) (dash - word.data) + 1;
    memcpy(from, word.data, head.len - 1);
    from[head.len - 1] = '%';

    tail.data = dash + 1;
    tail.len = word.len - head.len;

    if (ux_number_percent(head, &left) != UX_OK
        || ux_number_percent(tail, &right) != UX_OK)
    {
        fuzz_check(!valid);
        return;
    }

    fuzz_check(valid == (left < right));
    fuzz_check(!valid || (lo == left && hi == right));
}


static void
check_money(ux_str_t word, unsigned exponent)
{
    bool      negative;
    int64_t   minor;
    ux_str_t  amount;

    static const char *const  units[] = { "", "e1", "e2", "e3", "e4" };

    amount = word;
    negative = word.len > 0 && word.data[0] == '-';
    amount.data += negative;
    amount.len -= negative;

    minor = -1;

    if (ux_money_parse(word, exponent, &minor) != UX_OK) {
        fuzz_check(minor == -1);
        fuzz_check(negative || !is_number(amount)
                   || value_of(amount, units[exponent])
                      > (double) UX_MONEY_MAX - 1);
        return;
    }

    fuzz_check(minor >= 0 && minor <= UX_MONEY_MAX);
    fuzz_check(!negative || minor == 0);
    fuzz_check(is_number(amount));
    check_minor(amount, exponent, minor);
}


/* Written in major units again; and half a unit from the word at most. */
static void
check_minor(ux_str_t word, unsigned exponent, int64_t minor)
{
    char         text[TEXT_MAX];
    int64_t      unit, again;
    unsigned     i;
    ux_str_t     written;
    long double  distance;

    for (i = 0, unit = 1; i < exponent; i++) {
        unit *= 10;
    }

    written.data = text;
    written.len = (size_t) snprintf(text, sizeof(text), "%lld",
                                    (long long) (minor / unit));

    if (exponent > 0) {
        written.len += (size_t) snprintf(text + written.len,
                                         sizeof(text) - written.len,
                                         ".%0*lld", (int) exponent,
                                         (long long) (minor % unit));
    }

    fuzz_check(ux_money_parse(written, exponent, &again) == UX_OK);
    fuzz_check(again == minor);

    distance = (long double) value_of(word, "") * (long double) unit
               - (long double) minor;

    fuzz_check(distance < 0.501L && distance > -0.501L);
}


static void
check_currency(ux_str_t word)
{
    int       index;
    ux_str_t  code;

    index = ux_currency_find(word);

    fuzz_check(index >= -1 && index < (int) ux_currency_count());

    if (index >= 0) {
        code = ux_currency_code((unsigned) index);
        fuzz_check(ux_str_equal(code, word) && word.len == 3);
        fuzz_check(ux_currency_exponent((unsigned) index) <= 4);
    }
}


static double
value_of(ux_str_t word, const char *scale)
{
    char    *text;
    double   value;

    text = malloc(word.len + strlen(scale) + 1);
    fuzz_check(text != NULL);

    memcpy(text, word.data, word.len);
    strcpy(text + word.len, scale);

    value = strtod(text, NULL);
    free(text);

    return value;
}
