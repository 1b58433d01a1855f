
/*
 * Copyright (C) the nginx-ux authors
 *
 * The command line of ux_load.
 */

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


static void options_path(options_t *o, char *value);
static void options_header(options_t *o, const char *value);
static void usage(void);


void
options_read(options_t *o, int argc, char **argv)
{
    int  c;

    static const struct option  names[] = {
        { "port", required_argument, NULL, 'p' },
        { "clients", required_argument, NULL, 'c' },
        { "requests", required_argument, NULL, 'n' },
        { "seconds", required_argument, NULL, 's' },
        { "fresh", required_argument, NULL, 'f' },
        { "visits", required_argument, NULL, 'v' },
        { "seed", required_argument, NULL, 'r' },
        { "path", required_argument, NULL, 'u' },
        { "header", required_argument, NULL, 'H' },
        { "progress", required_argument, NULL, 'P' },
        { "gated", no_argument, NULL, 'g' },
        { "plain", no_argument, NULL, 'q' },
        { NULL, 0, NULL, 0 }
    };

    *o = (options_t) { .clients = 16, .requests = UINT64_MAX, .fresh = 10,
        .visits = 40, .seed = 1, .query = true, .paths = { "/view", "/cart",
        "/checkout", "/purchase" } };

    for ( ;; ) {
        c = getopt_long(argc, argv, "", names, NULL);

        switch (c) {
        case -1:
            if (optind != argc || o->port == 0 || o->clients == 0
                || o->clients > OPTIONS_CLIENTS
                || (o->requests == UINT64_MAX && o->seconds == 0))
            {
                usage();
            }
            return;
        case 'p': o->port = (uint16_t) options_number(optarg); break;
        case 'c': o->clients = (unsigned) options_number(optarg); break;
        case 'n': o->requests = options_number(optarg); break;
        case 's': o->seconds = options_number(optarg); break;
        case 'f': o->fresh = (unsigned) options_number(optarg); break;
        case 'v': o->visits = (unsigned) options_number(optarg); break;
        case 'r': o->seed = options_number(optarg); break;
        case 'u': options_path(o, optarg); break;
        case 'H': options_header(o, optarg); break;
        case 'P': o->progress = options_number(optarg); break;
        case 'g': o->gated = true; break;
        case 'q': o->query = false; break;
        default: usage();
        }
    }
}


/* "cart=/basket/add", or a path that all steps take. */

static void
options_path(options_t *o, char *value)
{
    static const char *const  names[STEPS] = { "view=", "cart=", "checkout=",
                                               "purchase=" };

    for (unsigned i = 0; i < STEPS; i++) {
        if (value[0] == '/') {
            o->paths[i] = value;

        } else if (strncmp(value, names[i], strlen(names[i])) == 0) {
            o->paths[i] = value + strlen(names[i]);
            return;
        }
    }

    if (value[0] != '/') {
        usage();
    }
}


static void
options_header(options_t *o, const char *value)
{
    size_t  used = strlen(o->headers);

    if (used + strlen(value) + 3 > sizeof(o->headers)) {
        usage();
    }

    (void) snprintf(o->headers + used, sizeof(o->headers) - used, "%s\r\n",
                    value);
}


uint64_t
options_number(const char *value)
{
    char      *end;
    uint64_t   n;

    n = strtoull(value, &end, 10);

    if (end == value || *end != '\0') {
        usage();
    }

    return n;
}


static void
usage(void)
{
    (void) fputs(
        "usage: ux_load --port=N --requests=N or --seconds=N\n"
        "  --clients=16     connections at once\n"
        "  --fresh=10       of a hundred requests, those whose connection\n"
        "                   is closed behind them\n"
        "  --visits=40      requests of a shopper before another comes\n"
        "  --path=STEP=/p   path of view, cart, checkout or purchase\n"
        "  --path=/p        path of all four\n"
        "  --plain          no value and id behind that of a purchase\n"
        "  --header=LINE    one more line of each request\n"
        "  --seed=1         other shoppers\n"
        "  --progress=N     a line \"at N\" each N answers\n"
        "  --gated          read lines from the standard input: \"to N\",\n"
        "                   go on up to N answers, and say \"reached N\";\n"
        "                   \"close\" all connections, and say \"closed\"\n",
        stderr);

    exit(2);
}
