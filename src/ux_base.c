
/*
 * Copyright (C) the nginx-ux authors
 *
 * Names and byte strings.  The character classes are spelled out because
 * those of <ctype.h> depend on the locale of the process.
 */

#include "ux_base.h"

#include <string.h>


static bool ux_base_lower(char c);
static bool ux_base_upper(char c);
static bool ux_base_digit(char c);


bool
ux_name_check(ux_str_t name)
{
    char    c;
    size_t  i;

    if (name.len == 0 || name.len > UX_NAME_MAX
        || !ux_base_lower(name.data[0]))
    {
        return false;
    }

    for (i = 1; i < name.len; i++) {
        c = name.data[i];

        if (!ux_base_lower(c) && !ux_base_digit(c) && c != '_') {
            return false;
        }
    }

    return true;
}


bool
ux_variant_name_check(ux_str_t name)
{
    char    c;
    size_t  i;

    if (name.len == 0 || name.len > UX_NAME_MAX
        || (!ux_base_lower(name.data[0]) && !ux_base_upper(name.data[0])))
    {
        return false;
    }

    for (i = 1; i < name.len; i++) {
        c = name.data[i];

        if (!ux_base_lower(c) && !ux_base_upper(c) && !ux_base_digit(c)
            && c != '_' && c != '.' && c != '-')
        {
            return false;
        }
    }

    return true;
}


bool
ux_str_equal(ux_str_t a, ux_str_t b)
{
    return a.len == b.len
           && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}


static bool
ux_base_lower(char c)
{
    return c >= 'a' && c <= 'z';
}


static bool
ux_base_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}


static bool
ux_base_digit(char c)
{
    return c >= '0' && c <= '9';
}
