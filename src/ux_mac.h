
/*
 * Copyright (C) the nginx-ux authors
 *
 * HMAC-SHA256 by OpenSSL, and comparison in constant time; the only user of
 * OpenSSL in the core.
 */

#ifndef UX_MAC_H
#define UX_MAC_H


#include "ux_base.h"


#define UX_MAC_LEN  16      /* bytes kept of the 32 */


/* First UX_MAC_LEN bytes of HMAC-SHA256(key, data).  UX_ERROR if OpenSSL
 * fails. */
ux_status_t ux_mac(ux_str_t key, ux_str_t data, uint8_t mac[UX_MAC_LEN]);

/* Takes the same time wherever the difference is. */
bool ux_mac_equal(const uint8_t a[UX_MAC_LEN], const uint8_t b[UX_MAC_LEN]);


#endif
