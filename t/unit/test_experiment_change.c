
/*
 * Copyright (C) the nginx-ux authors
 *
 * Phases, what opens an epoch or restarts the analysis, and movers against a
 * million keys.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "ux_experiment.h"


#define KEYS  1000000


static char      names[4096];        /* of all fixtures */
static unsigned  nnames;


static ux_str_t
str(const char *s)
{
    ux_str_t  result = { s, strlen(s) };

    return result;
}


/* "a=20,b=80": everything else as a plain configuration has it. */
static ux_experiment_t
variants(const char *spec)
{
    char             *p, *name;
    size_t            len;
    ux_experiment_t   e;

    memset(&e, 0, sizeof(e));
    e.name = str("test");
    e.salt = str("test");
    e.traffic = 1;
    e.serve = -1;

    len = strlen(spec) + 1;

    if (nnames + len > sizeof(names)) {
        abort();
    }

    p = memcpy(names + nnames, spec, len);
    nnames += (unsigned) len;

    while (p != NULL) {
        name = strsep(&p, "=");
        e.variants[e.nvariants].name = str(name);
        e.variants[e.nvariants].weight = strtod(p, &p);
        e.nvariants++;

        p = *p == ',' ? p + 1 : NULL;
    }

    return e;
}


static ux_experiment_t
layered(ux_experiment_t e, const char *layer, double lo, double hi)
{
    e.layer = str(layer);
    e.layer_lo = lo;
    e.layer_hi = hi;

    return e;
}


static ux_experiment_t
traffic(ux_experiment_t e, double share)
{
    e.traffic = share;

    return e;
}


static ux_experiment_t
salted(ux_experiment_t e, const char *salt)
{
    e.salt = str(salt);

    return e;
}


static void
test_phase(void)
{
    ux_experiment_t  e = variants("a=1,b=1");

    ok(ux_experiment_phase(&e, 0) == UX_PHASE_RUNNING
       && ux_experiment_phase(&e, UINT64_MAX) == UX_PHASE_RUNNING,
       "without any line it runs");

    e.start_ms = 1000;
    e.stop_ms = 2000;
    ok(ux_experiment_phase(&e, 999) == UX_PHASE_SCHEDULED
       && ux_experiment_phase(&e, 1000) == UX_PHASE_RUNNING
       && ux_experiment_phase(&e, 1999) == UX_PHASE_RUNNING
       && ux_experiment_phase(&e, 2000) == UX_PHASE_CLOSED,
       "from start to stop");

    e.state = UX_STATE_CLOSED;
    ok(ux_experiment_phase(&e, 999) == UX_PHASE_SCHEDULED
       && ux_experiment_phase(&e, 1500) == UX_PHASE_CLOSED, "closed");

    e.state = UX_STATE_PAUSED;
    ok(ux_experiment_phase(&e, 999) == UX_PHASE_SCHEDULED
       && ux_experiment_phase(&e, 1500) == UX_PHASE_PAUSED
       && ux_experiment_phase(&e, 2500) == UX_PHASE_PAUSED, "paused");

    e.serve = 0;
    ok(ux_experiment_phase(&e, 999) == UX_PHASE_SERVED
       && ux_experiment_phase(&e, 2500) == UX_PHASE_SERVED,
       "served before all, the control too");
}


static void
test_fingerprint(void)
{
    uint64_t         base;
    ux_experiment_t  e = variants("a=20,b=80"), f;

    base = ux_experiment_fingerprint(&e);

    f = variants("a=1,b=4");
    ok(ux_experiment_fingerprint(&f) == base, "20/80 is 1/4");

    f = variants("a=0.1,b=0.4");
    ok(ux_experiment_fingerprint(&f) == base, "and 0.1/0.4");

    f = variants("a=0.333,b=0.777,c=1e-3");
    e = variants("a=333,c=1,b=777");
    ok(ux_experiment_fingerprint(&f) == ux_experiment_fingerprint(&e),
       "in any order");

    e = variants("a=1,b=0.0000000001");
    f = variants("a=1,b=0");
    ok(ux_experiment_fingerprint(&e) != ux_experiment_fingerprint(&f),
       "next to nothing is not 0");

    f = variants("a=20,b=80");
    f.targeting = 1;
    ok(ux_experiment_fingerprint(&f) != base, "targeting");

    f.targeting = 0;
    f.state = UX_STATE_CLOSED;
    f.start_ms = 5;
    f.stop_ms = 6;
    f.serve = 1;
    f.equivalence = 0.02;
    ok(ux_experiment_fingerprint(&f) == base, "what opens no epoch");
}


static void
goal(ux_experiment_t *e, uint8_t event, ux_metric_type_e type)
{
    ux_metric_t  *metric;

    metric = &e->metrics[e->nmetrics++];

    metric->event = event;
    metric->type = type;
    metric->role = UX_ROLE_GOAL;
}


#define ANALYSIS(e)  ux_experiment_analysis(&(e), events)

static void
test_analysis(void)
{
    uint64_t         base;
    ux_experiment_t  e = variants("a=1,b=1"), f;

    static const ux_str_t  events[] = { ux_str("view_item"),
                                        ux_str("purchase"),
                                        ux_str("revenue") };
    static const ux_str_t  others[] = { ux_str("purchase"),
                                        ux_str("view_item") };

    e.alpha = 0.05;
    e.planned = 10000;
    e.window_ms = 7;
    e.cap = 500;
    goal(&e, 0, UX_METRIC_CONVERSION);
    goal(&e, 1, UX_METRIC_MEAN);
    base = ANALYSIS(e);

    f = e;
    f.variants[0].weight = 3;
    f.variants[1].name = str("c");
    f.traffic = 0.1;
    f.salt = str("other");
    f.targeting = 1;
    f.metrics[1].margin = 0.3;
    f.metrics[1].total = 3;
    f.metrics[2].role = UX_ROLE_GUARDRAIL;
    f.nmetrics = 3;
    f.min_runtime_s = 1;
    f.equivalence = 0.02;
    ok(ANALYSIS(f) == base, "what restarts nothing");

    f = e;
    f.metrics[0] = e.metrics[1];
    f.metrics[1] = e.metrics[0];
    ok(ANALYSIS(f) == base, "the order of goals");

    f.metrics[0].event = 0;
    f.metrics[1].event = 1;
    ok(ANALYSIS(f) != base, "their events swapped");
    ok(ux_experiment_analysis(&f, others) == base,
       "goals are known by name, not by index");

    f = e;
    f.nmetrics = 1;
    ok(ANALYSIS(f) != base, "a goal less");
    f = e;
    f.metrics[1].type = UX_METRIC_COUNT;
    ok(ANALYSIS(f) != base, "a goal's type");
    f = e;
    f.metrics[1].role = UX_ROLE_SECONDARY;
    ok(ANALYSIS(f) != base, "a goal that is none now");
    f = e;
    f.metrics[1].lower_is_better = true;
    ok(ANALYSIS(f) != base, "a goal's direction");
    f = e;
    f.alpha = 0.01;
    ok(ANALYSIS(f) != base, "alpha");
    f = e;
    f.planned = 10001;
    ok(ANALYSIS(f) != base, "planned");
    f = e;
    f.window_ms = 0;
    ok(ANALYSIS(f) != base, "window");
    f = e;
    f.cap = 0;
    ok(ANALYSIS(f) != base, "cap");
    f = e;
    f.variants[0].name = str("b");
    f.variants[1].name = str("a");
    ok(ANALYSIS(f) != base, "another control");

    e.metrics[1].event = 2;
    f = e;
    f.metrics[1].event = UX_METRIC_REVENUE;
    ok(ANALYSIS(f) != ANALYSIS(e), "revenue, and an event of that name");
}


static bool
same_variant(const ux_experiment_t *was, const ux_experiment_t *now,
    ux_str_t key)
{
    int  a, b;

    a = ux_experiment_assign(was, key);
    b = ux_experiment_assign(now, key);

    if (a == UX_VARIANT_NONE || b == UX_VARIANT_NONE) {
        return a == b;
    }

    return ux_str_equal(was->variants[a].name, now->variants[b].name);
}


/* Both ways, against keys; `expected` where it is known, else NAN. */
static void
movers(const char *what, ux_experiment_t was, ux_experiment_t now,
    double expected)
{
    char      text[32];
    double    share, back, measured;
    unsigned  i, moved;
    ux_str_t  key;

    share = ux_experiment_movers(&was, &now);
    back = ux_experiment_movers(&now, &was);
    moved = 0;

    for (i = 0; i < KEYS; i++) {
        (void) snprintf(text, sizeof(text), "visitor-%u", i);
        key = str(text);
        moved += !same_variant(&was, &now, key);
    }

    measured = (double) moved / KEYS;

    ok(fabs(share - measured) < 0.002 && fabs(share - back) < 1e-12
       && (isnan(expected) || fabs(share - expected) < 1e-12),
       "%s: %.3f %%, of the keys %.3f %%", what, share * 100,
       measured * 100);
}


static void
test_movers(void)
{
    ux_experiment_t  half = variants("a=50,b=50");
    ux_experiment_t  three = variants("a=5,b=3,c=2");

    movers("nothing", half, variants("b=1,a=1"), 0);
    movers("20/80 to 50/50", variants("a=20,b=80"), half, 0.3);
    movers("three, all weights", three, variants("a=2,b=5,c=3"), NAN);
    movers("three, one weight", three, variants("a=5,b=3,c=12"), 0.4);
    movers("one of three dropped", three, variants("a=5,b=3"), 0.2);
    movers("one of three to weight 0", three, variants("a=5,b=3,c=0"), 0.2);
    movers("the control dropped", three, variants("b=3,c=2"), 0.5);
    movers("a third added", half, variants("a=1,b=1,c=2"), 0.5);
    movers("a third at weight 0", half, variants("a=1,b=1,c=0"), 0);
    movers("one at weight 0 raised", variants("a=1,b=1,c=0"),
           variants("a=1,b=1,c=1"), 1.0 / 3);
    movers("one renamed", half, variants("a=50,d=50"), NAN);
    movers("all renamed", half, variants("x=50,y=50"), 1);
    movers("added, dropped and weighted", variants("a=1,b=2,c=3,d=4"),
           variants("b=5,c=1,d=2,e=3"), NAN);
    movers("one for all", half, variants("a=1,b=0"), 0.5);

    movers("traffic raised", traffic(half, 0.1), traffic(half, 0.25), 0.15);
    movers("traffic and weights", traffic(variants("a=20,b=80"), 0.5), half,
           0.5 + 0.5 * 0.3);
    movers("traffic to nothing", half, traffic(half, 0), 1);

    movers("a wider range", layered(half, "l", 0.2, 0.5),
           layered(half, "l", 0.1, 0.6), 0.2);
    movers("another range", layered(half, "l", 0, 0.5),
           layered(half, "l", 0.5, 1), 1);
    movers("an overlapping one", layered(three, "l", 0, 0.5),
           layered(variants("a=5,b=3,c=12"), "l", 0.25, 0.75),
           0.5 + 0.25 * 0.4);
    movers("another layer", layered(half, "l", 0, 0.5),
           layered(half, "m", 0, 0.5), 0.5);
    movers("a layer now", half, layered(half, "l", 0, 0.4), 0.6);
    movers("layer and traffic", traffic(layered(half, "l", 0, 0.5), 0.6),
           traffic(layered(half, "l", 0.1, 1), 0.3), NAN);

    movers("another salt", half, salted(half, "new"), 0.5);
    movers("another salt for three", three, salted(three, "new"),
           1 - 0.25 - 0.09 - 0.04);
    movers("another salt and traffic", traffic(three, 0.4),
           salted(traffic(variants("a=1,b=1,d=1"), 0.5), "new"), NAN);
}


int
main(void)
{
    test_phase();
    test_fingerprint();
    test_analysis();
    test_movers();

    return done();
}
