
/*
 * Copyright (C) the nginx-ux authors
 *
 * Is this User-Agent a crawler, a link preview, a monitor, a library or a
 * command-line client?  Declared ones only: who lies is not found here.
 */

#ifndef UX_BOT_H
#define UX_BOT_H


#include "ux_base.h"


/* True for bots; an empty User-Agent is one.  One pass over the bytes. */
bool ux_bot_check(ux_str_t user_agent);


#endif
