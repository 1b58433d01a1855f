
/*
 * Copyright (C) the nginx-ux authors
 *
 * A plain body, as most are, is read by ux_beacon_plain.c; this is how all
 * others are, and what a body means.
 *
 * A body is read in two passes.  The first walks over every byte by the
 * grammar of JSON, refuses what is malformed anywhere, and copies the members
 * that are known, as they are written, into a text of its own:
 *
 *   {"name":"LCP", "entries":[{...}, ...], "value" : 12e2}
 *   {"name":"LCP","value":12e2}
 *
 * The second gives that text to cJSON, which by then meets nothing that it
 * would read in a way of its own, nor more than UX_BEACON_NODES values, and
 * takes the members from its nodes.  Their strings move into the same text,
 * which has served: decoded ones are no longer than they were.
 */

#include "ux_beacon_private.h"
#include "ux_json_digits.h"
#include "ux_json_walk.h"
#include "ux_number.h"

#include <stdio.h>
#include <string.h>


#define UX_BEACON_VALUE_MAX  32    /* characters of a quoted number */


static bool ux_beacon_walk(ux_beacon_t *beacon, ux_json_walk_t *walk,
    unsigned members);
static bool ux_beacon_object(ux_beacon_t *beacon, ux_json_walk_t *walk,
    unsigned members);
static bool ux_beacon_member(ux_beacon_t *beacon, ux_json_walk_t *walk,
    unsigned members, unsigned *seen);
static unsigned ux_beacon_member_find(ux_str_t name, unsigned members);
static bool ux_beacon_put(ux_beacon_t *beacon, const char *data, size_t len);
static void ux_beacon_node(ux_beacon_t *beacon, ux_json_t *node);
static void ux_beacon_event(ux_beacon_t *beacon, ux_beacon_item_t *item,
    const ux_beacon_part_t *parts);
static void ux_beacon_vital(ux_beacon_t *beacon, ux_beacon_item_t *item,
    const ux_beacon_part_t *parts);
static bool ux_beacon_value(ux_beacon_t *beacon,
    const ux_beacon_part_t *part, ux_str_t *value);
static bool ux_beacon_word(ux_beacon_t *beacon,
    const ux_beacon_part_t *part, bool number, ux_str_t *word);
static bool ux_beacon_fixed(const ux_beacon_part_t *part, int64_t *value);
static ux_str_t ux_beacon_keep(ux_beacon_t *beacon, ux_str_t word);
static void ux_beacon_sentence(ux_error_t *error, const ux_json_walk_t *walk,
    ux_str_t body);


const ux_str_t  ux_beacon_members[UX_BEACON_MEMBERS] = {
    ux_str("event"),
    ux_str("name"),
    ux_str("value"),
    ux_str("delta"),
    ux_str("currency"),
    ux_str("id"),
    ux_str("visitor")                  /* last: only of who is trusted */
};


ux_status_t
ux_beacon_read(ux_beacon_t *beacon, ux_str_t body, bool trusted,
    ux_error_t *error)
{
    unsigned  members;

    if (body.len > UX_BEACON_MAX) {
        (void) snprintf(error->message, sizeof(error->message),
                        "more than %d bytes", UX_BEACON_MAX);
        return UX_ERROR;
    }

    members = trusted ? UX_BEACON_MEMBERS : UX_BEACON_M_VISITOR;

    return ux_beacon_plain(beacon, body, members)
           ? UX_OK : ux_beacon_any(beacon, body, members, error);
}


ux_status_t
ux_beacon_any(ux_beacon_t *beacon, ux_str_t body, unsigned members,
    ux_error_t *error)
{
    ux_str_t        text;
    ux_json_t      *root, *node;
    ux_json_walk_t  walk;

    beacon->n = 0;
    beacon->used = 0;

    ux_json_walk_init(&walk, body);
    walk.nodes_max = UX_BEACON_NODES;
    walk.levels_max = UX_BEACON_LEVELS;

    if (!ux_beacon_walk(beacon, &walk, members)) {
        ux_beacon_sentence(error, &walk, body);
        return UX_ERROR;
    }

    text.data = beacon->text;
    text.len = beacon->used;

    root = ux_json_parse(text);

    if (root == NULL) {

        /* well-formed it is: it was memory */

        return UX_FULL;
    }

    beacon->used = 0;

    if (ux_json_type(root) == UX_JSON_OBJECT) {
        ux_beacon_node(beacon, root);

    } else {
        for (node = ux_json_first(root); node != NULL;
             node = ux_json_next(node))
        {
            ux_beacon_node(beacon, node);
        }
    }

    ux_json_delete(root);

    return UX_OK;
}


/* The first pass. */
static bool
ux_beacon_walk(ux_beacon_t *beacon, ux_json_walk_t *walk, unsigned members)
{
    bool  more;

    if (ux_json_walk_peek(walk) == '{') {
        return ux_beacon_object(beacon, walk, members)
               && ux_json_walk_end(walk);
    }

    if (!ux_json_walk_enter(walk, &more)) {
        return false;
    }

    (void) ux_beacon_put(beacon, "[", 1);

    while (more) {

        if (ux_json_walk_peek(walk) != '{') {
            walk->wrong = "no event object";
            return false;
        }

        if (!ux_beacon_object(beacon, walk, members)
            || !ux_json_walk_more(walk, &more))
        {
            return false;
        }

        if (more) {
            (void) ux_beacon_put(beacon, ",", 1);
        }
    }

    (void) ux_beacon_put(beacon, "]", 1);

    return ux_json_walk_end(walk);
}


static bool
ux_beacon_object(ux_beacon_t *beacon, ux_json_walk_t *walk, unsigned members)
{
    bool      more;
    unsigned  seen;

    seen = 0;

    if (!ux_json_walk_enter(walk, &more)) {
        return false;
    }

    (void) ux_beacon_put(beacon, "{", 1);

    while (more) {

        if (!ux_beacon_member(beacon, walk, members, &seen)
            || !ux_json_walk_more(walk, &more))
        {
            return false;
        }
    }

    if (!(seen & (1u << UX_BEACON_M_EVENT | 1u << UX_BEACON_M_NAME))) {
        walk->wrong = "an object without \"event\"";
        return false;
    }

    (void) ux_beacon_put(beacon, "}", 1);

    return true;
}


static bool
ux_beacon_member(ux_beacon_t *beacon, ux_json_walk_t *walk, unsigned members,
    unsigned *seen)
{
    unsigned     member;
    ux_str_t     name;
    const char  *value;

    if (!ux_json_walk_name(walk, &name)) {
        return false;
    }

    member = ux_beacon_member_find(name, members);

    if (member == UX_BEACON_MEMBERS) {
        return ux_json_walk_value(walk, false);
    }

    if (*seen & 1u << member) {
        walk->wrong = "a member twice";
        return false;
    }

    (void) ux_json_walk_peek(walk);
    value = (const char *) walk->c.p;

    if (!ux_json_walk_value(walk, true)) {
        return false;
    }

    if (*seen != 0) {
        (void) ux_beacon_put(beacon, ",", 1);
    }

    *seen |= 1u << member;

    (void) ux_beacon_put(beacon, "\"", 1);
    (void) ux_beacon_put(beacon, ux_beacon_members[member].data,
                         ux_beacon_members[member].len);
    (void) ux_beacon_put(beacon, "\":", 2);
    (void) ux_beacon_put(beacon, value,
                         (size_t) ((const char *) walk->c.p - value));

    return true;
}


static unsigned
ux_beacon_member_find(ux_str_t name, unsigned members)
{
    unsigned  i;

    for (i = 0; i < members; i++) {
        if (ux_json_walk_is(name, ux_beacon_members[i])) {
            return i;
        }
    }

    return UX_BEACON_MEMBERS;
}


/*
 * Always fits: what is put was in the body, with as much around it, but for
 * numbers written out.
 */
static bool
ux_beacon_put(ux_beacon_t *beacon, const char *data, size_t len)
{
    if (len > sizeof(beacon->text) - beacon->used) {
        return false;
    }

    memcpy(beacon->text + beacon->used, data, len);
    beacon->used += len;

    return true;
}


/* The second pass. */
static void
ux_beacon_node(ux_beacon_t *beacon, ux_json_t *node)
{
    unsigned          i;
    ux_json_t        *member;
    ux_beacon_part_t  parts[UX_BEACON_MEMBERS];

    for (i = 0; i < UX_BEACON_MEMBERS; i++) {
        member = ux_json_get(node, ux_beacon_members[i]);
        parts[i].type = ux_json_type(member);
        parts[i].word = ux_json_word(member);
    }

    ux_beacon_item(beacon, parts);
}


void
ux_beacon_item(ux_beacon_t *beacon, const ux_beacon_part_t *parts)
{
    ux_beacon_item_t  *item;

    item = &beacon->items[beacon->n++];
    memset(item, 0, sizeof(ux_beacon_item_t));

    if (parts[UX_BEACON_M_VISITOR].type != UX_JSON_NONE) {
        item->named = true;
        item->bad = !ux_beacon_word(beacon, &parts[UX_BEACON_M_VISITOR],
                                    true, &item->visitor);
    }

    if (parts[UX_BEACON_M_EVENT].type != UX_JSON_NONE) {
        ux_beacon_event(beacon, item, parts);

    } else {
        ux_beacon_vital(beacon, item, parts);
    }
}


static void
ux_beacon_event(ux_beacon_t *beacon, ux_beacon_item_t *item,
    const ux_beacon_part_t *parts)
{
    if (parts[UX_BEACON_M_EVENT].type != UX_JSON_STRING) {
        item->kind = UX_BEACON_UNKNOWN;
        return;
    }

    item->kind = UX_BEACON_EVENT;
    item->name = ux_beacon_keep(beacon, parts[UX_BEACON_M_EVENT].word);

    if (!ux_beacon_value(beacon, &parts[UX_BEACON_M_VALUE], &item->value)
        || !ux_beacon_word(beacon, &parts[UX_BEACON_M_CURRENCY], false,
                           &item->currency)
        || !ux_beacon_word(beacon, &parts[UX_BEACON_M_ID], true, &item->id)
        || item->id.len > UX_BEACON_ID_MAX)
    {
        item->bad = true;
    }
}


static void
ux_beacon_vital(ux_beacon_t *beacon, ux_beacon_item_t *item,
    const ux_beacon_part_t *parts)
{
    item->vital.metric = ux_vital_find(parts[UX_BEACON_M_NAME].word);

    if (item->vital.metric == UX_VITALS) {
        item->kind = UX_BEACON_UNKNOWN;
        return;
    }

    item->kind = UX_BEACON_VITAL;

    item->vital.has_delta = parts[UX_BEACON_M_DELTA].type != UX_JSON_NONE;

    if (!ux_beacon_fixed(&parts[UX_BEACON_M_VALUE], &item->vital.value_e4)
        || item->vital.value_e4 < 0
        || (item->vital.has_delta
            && !ux_beacon_fixed(&parts[UX_BEACON_M_DELTA],
                                &item->vital.delta_e4))
        || !ux_beacon_word(beacon, &parts[UX_BEACON_M_ID], true, &item->id)
        || item->id.len > UX_BEACON_ID_MAX)
    {
        item->bad = true;
    }
}


/*
 * A number, or one in quotes, as applications do send them.  null is what
 * JSON.stringify() makes of NaN: a value that is none.
 */
static bool
ux_beacon_value(ux_beacon_t *beacon, const ux_beacon_part_t *part,
    ux_str_t *value)
{
    char      plain[UX_JSON_PLAIN_MAX];
    ux_str_t  word;

    word = part->word;

    switch (part->type) {

    case UX_JSON_NONE:
        return true;

    case UX_JSON_STRING:
        *value = ux_beacon_keep(beacon, word);
        return word.len > 0 && word.len <= UX_BEACON_VALUE_MAX;

    case UX_JSON_NUMBER:

        if (memchr(word.data, 'e', word.len) != NULL
            || memchr(word.data, 'E', word.len) != NULL)
        {
            if (ux_json_digits_plain(word, plain, &word.len) != UX_OK) {
                return false;
            }

            word.data = plain;
        }

        *value = ux_beacon_keep(beacon, word);

        return true;

    default:
        return false;
    }
}


/* null and "" are as good as absent. */
static bool
ux_beacon_word(ux_beacon_t *beacon, const ux_beacon_part_t *part,
    bool number, ux_str_t *word)
{
    switch (part->type) {

    case UX_JSON_NONE:
    case UX_JSON_NULL:
        return true;

    case UX_JSON_NUMBER:

        if (!number) {
            return false;
        }

        /* fall through */

    case UX_JSON_STRING:
        *word = ux_beacon_keep(beacon, part->word);
        return true;

    default:
        return false;
    }
}


/* A number by 10^4, rounded. */
static bool
ux_beacon_fixed(const ux_beacon_part_t *part, int64_t *value)
{
    char      plain[UX_JSON_PLAIN_MAX];
    bool      negative;
    ux_str_t  word;

    if (part->type != UX_JSON_NUMBER
        || ux_json_digits_plain(part->word, plain, &word.len) != UX_OK)
    {
        return false;
    }

    negative = plain[0] == '-';
    word.data = plain + negative;
    word.len -= negative;

    if (ux_money_parse(word, UX_VITAL_SCALE, value) != UX_OK) {
        return false;
    }

    *value = negative ? -*value : *value;

    return true;
}


/* A copy in the text that was read; nodes and their strings go away. */
static ux_str_t
ux_beacon_keep(ux_beacon_t *beacon, ux_str_t word)
{
    ux_str_t  copy;

    copy.data = beacon->text + beacon->used;
    copy.len = ux_beacon_put(beacon, word.data, word.len) ? word.len : 0;

    return copy;
}


static void
ux_beacon_sentence(ux_error_t *error, const ux_json_walk_t *walk,
    ux_str_t body)
{
    size_t  at;

    at = (size_t) ((const char *) walk->c.p - body.data);

    (void) snprintf(error->message, sizeof(error->message),
                    "malformed beacon: %s at byte %zu of %zu", walk->wrong,
                    at, body.len);
}
