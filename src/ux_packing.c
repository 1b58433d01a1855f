
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


static uint64_t ux_reader_bytewise(ux_reader_t *r, uint64_t min,
    uint64_t max);


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


/* Up to 8 bytes at once: seven bits go into each. */
void
ux_writer_long(ux_writer_t *w, uint64_t value)
{
    uint64_t  x;
    unsigned  n;

    if (value >> 56 == 0 && value >= 0x80 && w->end - w->pos >= 8) {
        n = (63u - (unsigned) __builtin_clzll(value)) / 7;

        x = (value & 0x0fffffff) | (value & 0x00fffffff0000000) << 4;
        x = (x & 0x00003fff00003fff) | (x & 0x0fffc0000fffc000) << 2;
        x = (x & 0x007f007f007f007f) | (x & 0x3f803f803f803f80) << 1;
        x |= 0x8080808080808080 & (((uint64_t) 1 << 8 * n) - 1);

        memcpy(w->pos, &x, 8);
        w->pos += n + 1;
        return;
    }

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


/* Of up to 8 bytes at once: those in front of the first without a high bit. */
uint64_t
ux_reader_long(ux_reader_t *r, uint64_t min, uint64_t max)
{
    uint64_t  x, last;

    if (r->end - r->pos < 8) {
        return ux_reader_bytewise(r, min, max);
    }

    memcpy(&x, r->pos, 8);
    last = ~x & 0x8080808080808080;

    if (last == 0) {
        return ux_reader_bytewise(r, min, max);
    }

    r->pos += __builtin_ctzll(last) / 8 + 1;
    x &= last ^ (last - 1);

    /* a last byte of 0 would be one too many */

    if (r->pos[-1] == 0 && x != 0) {
        ux_reader_fail(r);
        return 0;
    }

    x &= 0x7f7f7f7f7f7f7f7f;
    x = (x & 0x007f007f007f007f) | (x & 0x7f007f007f007f00) >> 1;
    x = (x & 0x00003fff00003fff) | (x & 0x3fff00003fff0000) >> 2;
    x = (x & 0x0fffffff) | (x & 0x0fffffff00000000) >> 4;

    if (x < min || x > max) {
        ux_reader_fail(r);
        return 0;
    }

    return x;
}


static uint64_t
ux_reader_bytewise(ux_reader_t *r, uint64_t min, uint64_t max)
{
    uint64_t  value;
    unsigned  byte, shift;

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
