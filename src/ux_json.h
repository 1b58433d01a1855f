
/*
 * Copyright (C) the nginx-ux authors
 *
 * JSON building and reading on cJSON, the only user of cJSON.h.  A node is
 * owned by the tree it was put in.  Any call on NULL is a no-op that returns
 * NULL, so a builder checks once, at the end, with ux_json_failed().  Nothing
 * can be added to a parsed tree: that is a no-op, too.
 */

#ifndef UX_JSON_H
#define UX_JSON_H


#include "ux_base.h"
#include "ux_text.h"


typedef struct cJSON  ux_json_t;


ux_json_t *ux_json_new(void);                      /* an object */
void ux_json_delete(ux_json_t *root);

/*
 * An empty object in the memory of this one, which is gone with all that is in
 * it; for NULL as ux_json_new().
 */
ux_json_t *ux_json_again(ux_json_t *root);

ux_json_t *ux_json_object(ux_json_t *parent, const char *name);
ux_json_t *ux_json_array(ux_json_t *parent, const char *name);

/* For objects inside arrays. */
ux_json_t *ux_json_append(ux_json_t *array);

/* Below, `name` is ignored (may be NULL) where the parent is an array. */

/* Invalid UTF-8 becomes '?', byte for byte. */
void ux_json_string(ux_json_t *parent, const char *name, ux_str_t value);
void ux_json_bool(ux_json_t *parent, const char *name, bool value);
void ux_json_null(ux_json_t *parent, const char *name);

/* Exact for all 64 bits. */
void ux_json_int(ux_json_t *parent, const char *name, int64_t value);

/* null for NaN and infinities; shortest form that reads back the same. */
void ux_json_number(ux_json_t *parent, const char *name, double value);

/* Exact for all 128 bits. */
void ux_json_wide(ux_json_t *parent, const char *name, ux_u128_t value);

/* Minor units as a decimal number, exact: 154410 with exponent 2 is
 * 1544.10. */
void ux_json_money(ux_json_t *parent, const char *name, int64_t minor,
    unsigned exponent);

/* YYYY-MM-DDTHH:MM:SSZ; null for 0. */
void ux_json_time(ux_json_t *parent, const char *name, uint64_t ms);

/* [lo, hi]; null if either is NaN. */
void ux_json_interval(ux_json_t *parent, const char *name, double lo,
    double hi);

/* True if any node of the tree that the object or array is in is missing for
 * want of memory.  NULL has failed. */
bool ux_json_failed(const ux_json_t *node);

/*
 * Member or element by path segment, NULL if not there.  Members of an object
 * that was built have names of their own; asked for in their order each is
 * found at once.
 */
ux_json_t *ux_json_get(ux_json_t *node, ux_str_t segment);

/*
 * The tree of a text, which need not end with a NUL; NULL if it is no JSON
 * (RFC 8259, up to 1000 levels deep) or for want of memory.  A number keeps
 * the text it was written with.
 */
ux_json_t *ux_json_parse(ux_str_t text);

typedef enum {
    UX_JSON_NONE = 0,              /* of NULL */
    UX_JSON_NULL,
    UX_JSON_BOOL,
    UX_JSON_NUMBER,
    UX_JSON_STRING,
    UX_JSON_ARRAY,
    UX_JSON_OBJECT
} ux_json_type_e;

ux_json_type_e ux_json_type(const ux_json_t *node);

/*
 * Of a parsed tree: a string's bytes up to the first NUL, or a number as it
 * was written (RFC 8259, so strtod() takes it); empty for all else.  NUL
 * behind it, lives as long as the tree.
 */
ux_str_t ux_json_word(const ux_json_t *node);

/*
 * What strtod() makes of a number's word, NaN of all else.  Of a tree that was
 * built it is kept.
 */
double ux_json_double(const ux_json_t *node);

/* Is it the literal true? */
bool ux_json_true(const ux_json_t *node);

/* A member's name, NUL behind it; empty for all else.  Lives as the tree. */
ux_str_t ux_json_name(const ux_json_t *node);

/* Walks the elements of an array or the members of an object. */
ux_json_t *ux_json_first(const ux_json_t *node);
ux_json_t *ux_json_next(const ux_json_t *node);

/*
 * malloc'ed text, or NULL, also when the tree has failed; free with
 * ux_json_text_free().
 */
char *ux_json_print(const ux_json_t *node, size_t *len);

/*
 * The same at the end of a text, of a node that has not failed; the second
 * one without the brackets around.
 */
void ux_json_write(ux_text_t *text, const ux_json_t *node);
void ux_json_write_members(ux_text_t *text, const ux_json_t *node);

void ux_json_text_free(char *text);

/* Memory from where the nodes come from; NULL if there is none. */
void *ux_json_alloc(size_t size);
void ux_json_free(void *p);

/*
 * For tests only: the whole process's cJSON allocates by these from now on,
 * each node of a tree on its own; NULL both for malloc and free.
 */
void ux_json_set_allocator(void *(*alloc)(size_t), void (*release)(void *));


#endif
