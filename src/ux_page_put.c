
/*
 * Copyright (C) the nginx-ux authors
 *
 * Elements of the page: escapes, links, ids, parts that unfold, tables in
 * regions of their own.
 *
 * Names are of the configuration, a host's name and a directory are not: all
 * is escaped alike, as text and in quotes.
 */

#include "ux_page_private.h"

#include <stdarg.h>
#include <string.h>


static void ux_page_put_escaped(ux_text_t *text, ux_str_t value);
static void ux_page_put_uri(ux_text_t *text, ux_str_t value);
static void ux_page_put_id(ux_text_t *text, const ux_page_of_t *of);
static void ux_page_put_unsigned(ux_text_t *text, unsigned n);


void
ux_page_print(ux_text_t *text, const char *format, ...)
{
    size_t   len;
    va_list  args;

    va_start(args, format);

    for ( ;; ) {
        for (len = 0; format[len] != '%' && format[len] != '\0'; len++) {
            /* void */
        }

        ux_text_put(text, format, len);
        format += len;

        if (*format == '\0') {
            break;
        }

        switch (format[1]) {

        case 'w':
            ux_text_word(text, va_arg(args, const char *));
            break;

        case 'e':
            ux_page_put_escaped(text, va_arg(args, ux_str_t));
            break;

        case 'u':
            ux_page_put_uri(text, va_arg(args, ux_str_t));
            break;

        case 'i':
            ux_page_put_id(text, va_arg(args, const ux_page_of_t *));
            break;

        case 'n':
            ux_page_put_unsigned(text, va_arg(args, unsigned));
            break;

        default:
            ux_text_char(text, '%');
            break;
        }

        format += format[1] != '\0' ? 2 : 1;
    }

    va_end(args);
}


/* What XML does not have at all, control characters, is a question mark. */
static void
ux_page_put_escaped(ux_text_t *text, ux_str_t value)
{
    size_t       i, from;
    const char  *as;

    from = 0;

    for (i = 0; i < value.len; i++) {

        switch (value.data[i]) {

        case '&':
            as = "&amp;";
            break;

        case '<':
            as = "&lt;";
            break;

        case '>':
            as = "&gt;";
            break;

        case '"':
            as = "&quot;";
            break;

        case '\'':
            as = "&#39;";
            break;

        default:
            if ((unsigned char) value.data[i] >= ' '
                && value.data[i] != 0x7f)
            {
                continue;
            }

            as = "?";
            break;
        }

        ux_text_put(text, value.data + from, i - from);
        ux_text_word(text, as);
        from = i + 1;
    }

    /* an empty value may have no bytes to point at */

    if (from < value.len) {
        ux_text_put(text, value.data + from, value.len - from);
    }
}


/*
 * A path, percent-encoded but for its slashes (RFC 3986); of two at its start
 * the second, too, or a host would begin there.  Nothing is left to escape.
 */
static void
ux_page_put_uri(ux_text_t *text, ux_str_t value)
{
    char           code[3];
    size_t         i;
    unsigned char  c;

    static const char  plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    static const char  digits[] = "0123456789ABCDEF";

    for (i = 0; i < value.len; i++) {
        c = (unsigned char) value.data[i];

        if ((c == '/' && i != 1)
            || (c != '\0' && strchr(plain, (char) c) != NULL))
        {
            ux_text_char(text, (char) c);
            continue;
        }

        code[0] = '%';
        code[1] = digits[c >> 4];
        code[2] = digits[c & 15];
        ux_text_put(text, code, 3);
    }
}


static void
ux_page_put_id(ux_text_t *text, const ux_page_of_t *of)
{
    ux_text_word(text, of->previous ? "previous-" : "experiment-");
    ux_page_put_escaped(text, of->zone);
    ux_text_char(text, '-');
    ux_page_put_escaped(text, of->name);
}


static void
ux_page_put_unsigned(ux_text_t *text, unsigned n)
{
    char   digits[16];
    char  *p;

    p = digits + sizeof(digits);

    do {
        *--p = (char) ('0' + n % 10);
        n /= 10;
    } while (n != 0);

    ux_text_put(text, p, (size_t) (digits + sizeof(digits) - p));
}


ux_str_t
ux_page_str(const char *word)
{
    ux_str_t  str;

    str.data = word;
    str.len = strlen(word);

    return str;
}


ux_json_t *
ux_page_at(ux_json_t *node, const char *path)
{
    ux_str_t  segment;

    while (node != NULL && *path != '\0') {
        segment.data = path;

        while (*path != '/' && *path != '\0') {
            path++;
        }

        segment.len = (size_t) (path - segment.data);
        path += *path == '/';

        node = ux_json_get(node, segment);
    }

    return node;
}


ux_str_t
ux_page_word(ux_json_t *node, const char *path)
{
    ux_str_t  none = ux_str("");

    node = ux_page_at(node, path);

    return ux_json_type(node) == UX_JSON_STRING ? ux_json_word(node) : none;
}


ux_json_t *
ux_page_member(ux_json_t *node, const char *section, ux_str_t name)
{
    return ux_json_get(ux_page_at(node, section), name);
}


void
ux_page_fold(const ux_page_of_t *of, const char *what, const char *heading,
    bool open)
{
    ux_page_print(of->text,
                  "<details id=\"%i-%w\" class=\"%w\"%w>"
                  "<summary>%w</summary>\n",
                  of, what, what, open ? " open=\"\"" : "", heading);
}


void
ux_page_fold_named(const ux_page_of_t *of, const char *what,
    const char *heading, ux_str_t name)
{
    ux_page_print(of->text,
                  "<details id=\"%i-%w-%e\" class=\"%w\">"
                  "<summary>%w %e</summary>\n",
                  of, what, name, what, heading, name);
}


void
ux_page_unfold(const ux_page_of_t *of)
{
    ux_page_print(of->text, "</details>\n");
}


/* The region's name is one of its own: it is a landmark. */
void
ux_page_table_open(const ux_page_of_t *of, ux_text_t *text,
    const char *class, const char *caption, ux_str_t name, bool sortable)
{
    ux_str_t     none = ux_str("");
    const char  *gap;

    gap = name.len > 0 ? " " : "";

    ux_page_print(text,
                  "<div class=\"region\" role=\"region\" tabindex=\"0\" "
                  "aria-label=\"%w%w%e%w%e, %e%w%e%w\">",
                  caption, gap, name,
                  of != NULL && of->segment.len > 0 ? ", by " : "",
                  of != NULL ? of->segment : none,
                  of != NULL ? of->zone : none, of != NULL ? " " : "zone",
                  of != NULL ? of->name : none,
                  of != NULL && of->previous ? ", previous version" : "");

    ux_page_print(text,
                  "<table class=\"%w\"%w><caption>%w%w%e</caption>\n",
                  class, sortable ? " data-sortable=\"\"" : "", caption, gap,
                  name);
}


void
ux_page_table_close(ux_text_t *text)
{
    ux_page_print(text, "</tbody></table></div>\n");
}
