
/*
 * Copyright (C) the nginx-ux authors
 *
 * Numbers and times of the packed form.
 *
 * Memory: the writer and the reader carry an end and never pass it.  After the
 * first fault both go on harmlessly, so that callers check once, at the end.
 */

#include "ux_packing.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "numbers of fixed width are moved as they are"
#endif


void
ux_writer_byte(ux_writer_t *w, unsigned byte)
{
    if (w->pos == w->end) {
        if (w->status == UX_OK) {
            w->status = UX_FULL;
        }

        return;
    }

    *w->pos++ = (uint8_t) byte;
}


void
ux_writer_fixed(ux_writer_t *w, uint64_t value, unsigned size)
{
    unsigned  i;

    if (w->end - w->pos >= 8) {

        /* all eight: what is too much is written over, or not looked at */

        memcpy(w->pos, &value, 8);
        w->pos += size;
        return;
    }

    for (i = 0; i < size; i++) {
        ux_writer_byte(w, (unsigned) (value >> (8 * i)) & 0xffu);
    }
}


void
ux_writer_number(ux_writer_t *w, uint64_t value)
{
    while (value >= 0x80) {
        ux_writer_byte(w, (unsigned) (value & 0x7f) | 0x80u);
        value >>= 7;
    }

    ux_writer_byte(w, (unsigned) value);
}


/* Differences modulo 2^64: any time survives, near ones are short. */
void
ux_writer_time(ux_writer_t *w, uint64_t ms, uint64_t origin_ms)
{
    uint64_t  delta;

    delta = ms - origin_ms;

    ux_writer_number(w, (delta << 1) ^ (0 - (delta >> 63)));
}


/* A time that far from its origin as no number says is a fault. */
void
ux_writer_moment(ux_writer_t *w, uint64_t ms, uint64_t origin_ms)
{
    uint64_t  delta, zigzag;

    delta = ms - origin_ms;
    zigzag = (delta << 1) ^ (0 - (delta >> 63));

    if (ms != 0 && zigzag == UINT64_MAX) {
        w->status = UX_ERROR;
        return;
    }

    ux_writer_number(w, ms == 0 ? 0 : zigzag + 1);
}


unsigned
ux_reader_byte(ux_reader_t *r)
{
    if (r->pos == r->end) {
        r->bad = true;
        return 0;
    }

    return *r->pos++;
}


uint64_t
ux_reader_fixed(ux_reader_t *r, unsigned size)
{
    uint64_t  value;
    unsigned  i;

    if (r->end - r->pos >= 8) {
        memcpy(&value, r->pos, 8);
        r->pos += size;
        return size == 8 ? value : value & ((1ull << 8 * size) - 1);
    }

    value = 0;

    for (i = 0; i < size; i++) {
        value |= (uint64_t) ux_reader_byte(r) << (8 * i);
    }

    return value;
}


/* In the shortest form and within bounds; 0 and a fault otherwise. */
uint64_t
ux_reader_number(ux_reader_t *r, uint64_t min, uint64_t max)
{
    uint64_t  value;
    unsigned  byte, shift;

    /* mostly a byte */

    if (r->pos < r->end && *r->pos < 0x80u && *r->pos >= min
        && *r->pos <= max)
    {
        return *r->pos++;
    }

    value = 0;
    shift = 0;

    do {
        byte = ux_reader_byte(r);

        if ((shift > 0 && byte == 0) || (shift == 63 && byte > 1)) {
            ux_reader_fail(r);
            return 0;
        }

        value |= (uint64_t) (byte & 0x7fu) << shift;
        shift += 7;

    } while (byte & 0x80u);

    if (value < min || value > max) {
        ux_reader_fail(r);
        return 0;
    }

    return value;
}


uint64_t
ux_reader_time(ux_reader_t *r, uint64_t origin_ms)
{
    uint64_t  zigzag;

    zigzag = ux_reader_number(r, 0, UINT64_MAX);

    return origin_ms + ((zigzag >> 1) ^ (0 - (zigzag & 1)));
}


uint64_t
ux_reader_moment(ux_reader_t *r, uint64_t origin_ms)
{
    uint64_t  number, ms;

    number = ux_reader_number(r, 0, UINT64_MAX);

    if (number == 0) {
        return 0;
    }

    number--;
    ms = origin_ms + ((number >> 1) ^ (0 - (number & 1)));

    if (ms == 0) {
        ux_reader_fail(r);             /* would be told as none */
    }

    return ms;
}


/* Nothing further is read. */
void
ux_reader_fail(ux_reader_t *r)
{
    r->bad = true;
    r->pos = r->end;
}


uint64_t
ux_packing_cookie(const uint8_t *buf, size_t len)
{
    size_t    i;
    uint64_t  hash;

    /* behind two bytes of flags, key_id, first_s and the number of last_s */

    for (i = 14; i < 14 + 5 && (buf[i] & 0x80u); i++) {
        /* void */
    }

    i++;

    if (!(buf[0] & UX_PACK_COOKIE) || i + 8 > len) {
        return 0;
    }

    memcpy(&hash, buf + i, 8);

    return hash;
}


bool
ux_packing_counts_ok(const ux_visitor_t *visitor)
{
    if (visitor->ntracks < 1 || visitor->ntracks > UX_TRACKS_MAX
        || visitor->npending > UX_PENDING_MAX
        || visitor->nids > UX_IDS_MAX || visitor->pages > 2)
    {
        return false;
    }

    return visitor->nids < UX_IDS_MAX ? visitor->next_id == visitor->nids
                                      : visitor->next_id < UX_IDS_MAX;
}
