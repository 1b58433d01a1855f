
/*
 * Copyright (C) the nginx-ux authors
 *
 * What a record remembers of vitals, packed: 7 bytes a metric, for one
 * experiment, where there were any.
 */

#include "ux_packing.h"


static bool ux_visitor_mark_ok(uint16_t mark);


unsigned
ux_packing_vitals(const ux_visitor_t *visitor)
{
    unsigned  i, mask;

    mask = 0;

    for (i = 0; i < UX_VITALS; i++) {
        mask |= (visitor->vitals[i].id != 0 ? 1u : 0u) << i;
    }

    return mask;
}


void
ux_writer_vitals(ux_writer_t *w, const ux_visitor_t *visitor)
{
    unsigned                i, k, tracks;
    const ux_vital_seen_t  *seen;

    ux_writer_byte(w, ux_packing_vitals(visitor));

    for (i = 0; i < UX_VITALS; i++) {
        seen = &visitor->vitals[i];

        if (seen->id == 0) {
            continue;
        }

        if (!ux_visitor_mark_ok(seen->mark)) {
            w->status = UX_ERROR;
            return;
        }

        tracks = 0;

        for (k = 1; k < visitor->ntracks; k++) {
            tracks |= (visitor->tracks[k].vitals >> i & 1u) << (k - 1);
        }

        ux_writer_fixed(w, seen->id, 4);
        ux_writer_number(w, seen->mark);
        ux_writer_number(w, tracks);
    }
}


void
ux_reader_vitals(ux_reader_t *r, ux_visitor_t *visitor)
{
    uint64_t          tracks;
    unsigned          i, k, mask;
    ux_vital_seen_t  *seen;

    mask = ux_reader_byte(r);

    if (mask == 0 || (mask >> UX_VITALS)) {
        ux_reader_fail(r);
    }

    for (i = 0; i < UX_VITALS && !r->bad; i++) {

        if (!((mask >> i) & 1)) {
            continue;
        }

        seen = &visitor->vitals[i];
        seen->id = (uint32_t) ux_reader_fixed(r, 4);
        seen->mark = (uint16_t) ux_reader_number(r, 0, UX_VITAL_MARKS - 1);
        tracks = ux_reader_number(r, 0,
                                  (1u << (visitor->ntracks - 1)) - 1);

        if (seen->id == 0 || !ux_visitor_mark_ok(seen->mark)) {
            ux_reader_fail(r);
        }

        for (k = 1; k < visitor->ntracks; k++) {
            visitor->tracks[k].vitals |=
                (uint8_t) ((tracks >> (k - 1) & 1) << i);
        }
    }
}


/* A bucket and a rating that there are. */
static bool
ux_visitor_mark_ok(uint16_t mark)
{
    return mark < UX_VITAL_MARKS && (mark & 3) < UX_VITAL_RATINGS;
}
