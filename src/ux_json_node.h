
/*
 * Copyright (C) the nginx-ux authors
 *
 * A node of a tree that was built: cJSON's, and behind it what cJSON does not
 * keep, so that who reads the tree need not look for it again.  A parsed tree
 * has cJSON's own nodes.  For ux_json*.c only.
 */

#ifndef UX_JSON_NODE_H
#define UX_JSON_NODE_H


#include "ux_json.h"

#include <cjson/cJSON.h>
#include <string.h>


/* The longest text of a double is "-1.2345678901234567e-300". */
#define UX_JSON_DOUBLE_MAX  24u

/* In a node's type, beside cJSON's flags: it is one of these. */
#define UX_JSON_BUILT  (1 << 16)

typedef struct {
    ux_json_t       node;
    uint32_t        name_len;
    uint32_t        word_len;          /* of a string or a number; 0: it has
                                          to be made of the number */
    union {
        double      number;
        ux_json_t  *found;             /* of an object: the member that was
                                          asked for last */
    };
} ux_json_node_t;


/* NULL of a parsed tree. */
static inline ux_json_node_t *
ux_json_built(const ux_json_t *node)
{
    return (node->type & UX_JSON_BUILT) != 0
           ? (ux_json_node_t *) (uintptr_t) node : NULL;
}


/* cJSON's type without its flags, and ours. */
static inline int
ux_json_kind(const ux_json_t *node)
{
    return node != NULL ? node->type & 0xff : cJSON_Invalid;
}


static inline size_t
ux_json_name_len(const ux_json_t *node)
{
    const ux_json_node_t  *built;

    built = ux_json_built(node);

    return built != NULL ? built->name_len : strlen(node->string);
}


static inline size_t
ux_json_word_len(const ux_json_t *node)
{
    const ux_json_node_t  *built;

    built = ux_json_built(node);

    return built != NULL ? built->word_len : strlen(node->valuestring);
}


#endif
