
/*
 * Copyright (C) the nginx-ux authors
 *
 * Numbers as decimal text that JSON and other formats of ours take; the
 * locale of the process does not matter.
 */

#ifndef UX_DECIMAL_H
#define UX_DECIMAL_H


#include "ux_base.h"


#define UX_DECIMAL_MAX  48             /* bytes of any text, with its NUL */


/*
 * Both return how many bytes the text has without its NUL.
 *
 * The shortest text that reads back as the same double; whole numbers below
 * 10^15 and everything from 10^-5 on without an exponent, -0 as 0.  The value
 * must be finite.
 */
size_t ux_decimal_double(char *buf, double value);

/*
 * digits * 10^-scale, all of them written out: 5 with scale 2 is 0.05, 12
 * with scale -1 is 120.  |scale| at most 22.
 */
size_t ux_decimal_print(char *buf, bool negative, uint64_t digits, int scale);


#endif
