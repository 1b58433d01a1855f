
/*
 * Copyright (C) the nginx-ux authors
 *
 * Moments as a configuration says them.
 */

#ifndef UX_TIME_H
#define UX_TIME_H


#include "ux_base.h"


/*
 * ISO 8601, the profile of RFC 3339 and its date alone: "2026-01-31",
 * "2026-01-31T08:00Z", "2026-01-31T08:00:00+01:00"; without an offset it is
 * UTC.  Years 1970 to 9999; a leap second is the next minute.  Sets unix
 * milliseconds; UX_ERROR for anything else.
 */
ux_status_t ux_time_parse(ux_str_t word, uint64_t *ms);


#endif
