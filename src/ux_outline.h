
/*
 * Copyright (C) the nginx-ux authors
 *
 * What most requests ask of a visitor's record, read out of the packed bytes
 * without unpacking them.
 */

#ifndef UX_OUTLINE_H
#define UX_OUTLINE_H


#include "ux_visitor.h"


/* Of a track; UX_OUTLINE_SEGMENTED: it has values of segments. */
#define UX_OUTLINE_WAITING    0x02u
#define UX_OUTLINE_CROSSED    0x04u
#define UX_OUTLINE_SEGMENTED  0x80u
#define UX_OUTLINE_VISIT      0x100u


/* An exposure, or a page that was prefetched. */
typedef struct {
    uint16_t  arm;
    uint16_t  flags;               /* UX_OUTLINE_... */
} ux_outline_track_t;


typedef struct {
    uint64_t            cookie_hash;
    uint32_t            first_s;
    bool                confirmed;
    bool                waiting;   /* any track is */
    uint8_t             pages;
    uint8_t             n;
    ux_outline_track_t  tracks[UX_TRACKS_MAX - 1];   /* without the life */
} ux_outline_t;


#define UX_OUTLINE_PAD  8          /* bytes behind buf that may be read */

/*
 * Of len bytes that ux_visitor_pack() made, in which nothing else is looked
 * at; of others what they seem to say.  UX_DECLINED: of an alias, or they end
 * too early.  Reads nothing beyond len + UX_OUTLINE_PAD.
 */
ux_status_t ux_outline_read(ux_outline_t *outline, const uint8_t *buf,
    size_t len);

/* The same of an unpacked one; of an alias nothing but its times. */
void ux_outline_of(ux_outline_t *outline, const ux_visitor_t *visitor);


#endif
