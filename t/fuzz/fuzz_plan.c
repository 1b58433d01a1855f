
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl plan --from: what a server answers, or a file says, from the HTTP
 * header down to the figures; all of the command but the transport.
 */

#include "fuzz.h"

#include <apr_general.h>

/* The transport is ours; the rest of its file is what is tested. */
#define uxctl_plan_fetch  uxctl_plan_transport
#include "uxctl_plan_fetch.c"
#undef uxctl_plan_fetch

#include "ux_json.h"


int uxctl_plan_fetch(apr_pool_t *pool, const char *from, ux_str_t *text);


const char *const  fuzz_words[] = {
    "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200", "\r\n", "\r\n\r\n", "HTTP/1.",
    "{\"zones\":{", "\"shop\":", "\"experiments\":", "\"layout\":",
    "\"goal\":", "\"purchase\"", "\"variants\":", "\"control\":true",
    "\"metrics\":", "\"rate\":", "\"mean\":", "\"variance\":", "\"visitors\":",
    "\"runtime_seconds\":", "\"alpha\":", "\"planned_visitors\":", "0.03",
    "1e308", "1e-308", "1e999", "0", "-1", "null", "[", "]", "{", "}", NULL
};


static apr_pool_t  *root;
static apr_pool_t  *turn;
static ux_str_t     answer;


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void) argc;
    (void) argv;

    fuzz_check(apr_initialize() == APR_SUCCESS);
    fuzz_check(apr_pool_create(&root, NULL) == APR_SUCCESS);
    fuzz_check(apr_pool_create(&turn, root) == APR_SUCCESS);

    /* complaints are many */

    stderr = fopen("/dev/null", "w");
    fuzz_check(stderr != NULL);

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int         rc;
    char       *said;
    FILE       *out;
    size_t      len;
    ux_str_t    text;
    ux_json_t  *tree;

    static const char *const  words[] = {
        "plan", "--from", "-", "--experiment", "layout", "--effect", "10%",
        "--json", NULL
    };

    answer = fuzz_copy(data, size);
    out = stdout;
    stdout = open_memstream(&said, &len);
    fuzz_check(stdout != NULL);

    rc = uxctl_plan(turn, 8, words);

    fclose(stdout);
    stdout = out;

    if (rc == UXCTL_OK) {
        text.data = said;
        text.len = len;
        tree = ux_json_parse(text);
        fuzz_check(ux_json_type(tree) == UX_JSON_OBJECT);
        ux_json_delete(tree);

    } else {
        fuzz_check(len == 0);
    }

    free(said);
    apr_pool_clear(turn);
    fuzz_free(answer);

    return 0;
}


int
uxctl_plan_fetch(apr_pool_t *pool, const char *from, ux_str_t *text)
{
    (void) pool;

    *text = answer;

    if (answer.len > 0 && answer.data[0] == 'H') {
        return uxctl_fetch_body(from, text);
    }

    return UXCTL_OK;
}
