
/*
 * Copyright (C) the nginx-ux authors
 *
 * What may be concluded, in a sentence or two.
 */

#include "ux_words.h"

#include <stdio.h>
#include <string.h>


size_t
ux_words_summary(const ux_words_t *words, char buf[UX_WORDS_MAX])
{
    (void) words;

    return (size_t) snprintf(buf, UX_WORDS_MAX, "%s", "");
}
