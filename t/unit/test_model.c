
/*
 * Copyright (C) the nginx-ux authors
 */

#include <string.h>

#include "tap.h"
#include "ux_model.h"


static void test_init(void);
static void test_events(void);
static void test_base(void);
static void test_experiments(void);
static void test_funnels(void);
static void test_room(void);
static void model_init(void);
static void experiment(const char *name, const char *layer, double lo,
    double hi);
static void funnel(const char *name, unsigned nsteps, uint8_t cart);
static bool refuses(int experiment_index, int funnel_index,
    const char *words, ...);
static ux_str_t str(const char *s);


static ux_model_t       model;
static ux_experiment_t  experiments[8];


int
main(void)
{
    test_base();
    test_init();
    test_events();
    test_experiments();
    test_funnels();
    test_room();

    return done();
}


static void
test_base(void)
{
    char  name[66];

    memset(name, 'a', sizeof(name));

    ok(ux_name_check((ux_str_t) { name, 64 }), "64 bytes are a name");
    ok(!ux_name_check((ux_str_t) { name, 65 }), "65 bytes are none");
    ok(!ux_name_check((ux_str_t) { name, 0 }), "no bytes are none");
    ok(ux_name_check(str("a_9")), "letters, digits, underscore");
    ok(!ux_name_check(str("_a")), "starts with a letter");
    ok(!ux_name_check(str("9a")), "not with a digit");
    ok(!ux_name_check(str("aB")), "lower case only");
    ok(!ux_name_check(str("a-b")), "no minus");
    ok(!ux_name_check((ux_str_t) { "a\0b", 3 }), "no NUL");
    ok(!ux_name_check(str("a\xc3\xa9")), "ASCII only");

    ok(ux_variant_name_check((ux_str_t) { name, 64 }), "64 bytes, variant");
    ok(!ux_variant_name_check((ux_str_t) { name, 65 }), "65 bytes, variant");
    ok(!ux_variant_name_check((ux_str_t) { name, 0 }), "no bytes, variant");
    ok(ux_variant_name_check(str("Z_9.-z")), "all characters of a variant");
    ok(!ux_variant_name_check(str("9a")), "a variant starts with a letter");
    ok(!ux_variant_name_check(str("a:b")), "no colon in a variant");
    ok(!ux_variant_name_check(str("a b")), "no blank in a variant");

    ok(ux_str_equal(str("ab"), str("ab")), "equal");
    ok(!ux_str_equal(str("ab"), str("abc")), "a prefix is not equal");
    ok(ux_str_equal((ux_str_t) { NULL, 0 }, str("")), "empty is empty");
}


static void
test_init(void)
{
    ux_model_init(&model, str("shop"), 7);

    ok(ux_str_equal(model.zone, str("shop")) && model.currency == 7,
       "zone and currency");
    ok(model.nevents == UX_EVENT_BUILTIN, "built-in events");
    ok(ux_str_equal(model.events[UX_EVENT_PURCHASE], str("purchase"))
       && ux_str_equal(model.events[UX_EVENT_VIEW_ITEM], str("view_item"))
       && ux_str_equal(model.events[UX_EVENT_REFUND], str("refund")),
       "at their numbers");
    ok(model.ntotals == 1 && model.totals[0].event == UX_METRIC_REVENUE
       && model.totals[0].type == UX_METRIC_MEAN, "revenue is total 0");
    ok(model.nfunnels == 0 && model.nexperiments == 0, "nothing else");
}


static void
test_events(void)
{
    char         names[UX_EVENTS_MAX][8];
    uint8_t      index, again;
    unsigned     i;
    ux_status_t  rc;

    ux_model_init(&model, str("shop"), 0);

    ok(ux_model_event_find(&model, str("add_to_cart"))
       == UX_EVENT_ADD_TO_CART, "a built-in event is found");
    ok(ux_model_event_find(&model, str("signup")) == -1, "a new one is not");
    ok(ux_model_event_add(&model, str("purchase"), &index) == UX_OK
       && index == UX_EVENT_PURCHASE && model.nevents == UX_EVENT_BUILTIN,
       "adding a known one gives its number");
    ok(ux_model_event_add(&model, str("signup"), &index) == UX_OK
       && index == UX_EVENT_BUILTIN, "adding a new one");
    ok(ux_model_event_add(&model, str("signup"), &again) == UX_OK
       && again == index, "adding it again");

    for (i = model.nevents; i < UX_EVENTS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "e%u", i);
        rc = ux_model_event_add(&model, str(names[i]), &index);

        if (rc != UX_OK || index != i) {
            break;
        }
    }

    ok(i == UX_EVENTS_MAX, "up to %d of them", UX_EVENTS_MAX);
    ok(ux_model_event_add(&model, str("more"), &index) == UX_FULL,
       "then it is full");
    ok(ux_model_event_add(&model, str("signup"), &index) == UX_OK
       && index == UX_EVENT_BUILTIN, "but known ones are still known");
}


static void
test_experiments(void)
{
    int         e, f;
    ux_error_t  error;

    model_init();
    experiment("one", "page", 0, 0.5);
    experiment("two", "page", 0.5, 1);
    experiment("three", "cart", 0.5, 1);
    experiment("four", "", 0, 0.5);
    experiment("five", "cart", 0, 0.5);

    ok(ux_model_check(&model, &e, &f, &error) == UX_OK && e == -1 && f == -1,
       "neighbours, other layers and no layers agree");

    experiment("six", "page", 0.49, 0.5);
    ok(refuses(5, -1, "\"six\"", "\"one\"", "\"page\"", "49-50%", NULL),
       "an overlap at the end of a range");

    experiments[5].layer_lo = 0.1;
    experiments[5].layer_hi = 0.2;
    ok(refuses(5, -1, "\"six\"", "\"one\"", NULL), "a range inside another");

    experiments[5].layer_lo = 0;
    experiments[5].layer_hi = 1;
    ok(refuses(5, -1, "\"six\"", NULL), "a range around another");

    experiments[5].layer = str("");
    experiments[5].name = str("two");
    ok(refuses(5, -1, "\"two\" is given twice", NULL), "a name twice");
}


static void
test_funnels(void)
{
    int         e, f;
    ux_error_t  error;

    model_init();
    funnel("checkout", 5, UX_SLOT_NONE);
    funnel("signup", 5, UX_SLOT_NONE);

    ok(ux_model_check(&model, &e, &f, &error) == UX_OK && e == -1 && f == -1,
       "two funnels may share events");

    model.funnels[1].steps[4].event = 1;
    ok(refuses(-1, 1, "\"add_to_cart\"", "\"signup\"", NULL),
       "a step twice in one funnel");

    model.funnels[1].steps[4].event = 4;
    model.funnels[1].name = str("checkout");
    ok(refuses(-1, 1, "funnel \"checkout\" is given twice", NULL),
       "a funnel twice");
}


static void
test_room(void)
{
    int         e, f;
    char        names[16][8];
    unsigned    i;
    ux_error_t  error;

    model_init();

    for (i = 0; i < 8; i++) {
        snprintf(names[i], sizeof(names[i]), "f%u", i);
        funnel(names[i], 8, UX_EVENT_ADD_TO_CART);
    }

    ok(ux_model_check(&model, &e, &f, &error) == UX_OK,
       "64 steps and 8 carts fit");

    funnel("more", 1, UX_SLOT_NONE);
    funnel("last", 2, UX_SLOT_NONE);
    ok(refuses(-1, 8, "67 steps", "at most 64", NULL), "67 steps do not");

    model.nfunnels = 7;
    funnel("small", 2, UX_EVENT_ADD_TO_CART);
    funnel("more", 1, UX_EVENT_ADD_TO_CART);
    funnel("last", 1, UX_EVENT_ADD_TO_CART);
    ok(refuses(-1, 8, "10 funnels with a cart", "at most 8", NULL),
       "10 carts do not");
}


static void
model_init(void)
{
    ux_model_init(&model, str("shop"), 0);
    memset(experiments, 0, sizeof(experiments));
    model.experiments = experiments;
}


static void
experiment(const char *name, const char *layer, double lo, double hi)
{
    ux_experiment_t  *e;

    e = &experiments[model.nexperiments++];
    e->name = str(name);
    e->salt = e->name;
    e->layer = str(layer);
    e->layer_lo = lo;
    e->layer_hi = hi;
}


static void
funnel(const char *name, unsigned nsteps, uint8_t cart)
{
    unsigned      i;
    ux_funnel_t  *f;

    f = &model.funnels[model.nfunnels++];
    memset(f, 0, sizeof(*f));

    f->name = str(name);
    f->nsteps = nsteps;
    f->cart_event = cart;

    for (i = 0; i < nsteps; i++) {
        f->steps[i].event = (uint8_t) i;
    }
}


/* The sentence has all these words, up to NULL. */
static bool
refuses(int experiment_index, int funnel_index, const char *words, ...)
{
    int          e, f;
    bool         all;
    va_list      args;
    ux_error_t   error;

    memset(&error, 0, sizeof(error));

    if (ux_model_check(&model, &e, &f, &error) == UX_OK) {
        return false;
    }

    printf("# %s\n", error.message);

    all = (e == experiment_index && f == funnel_index);

    va_start(args, words);

    for ( /* void */ ; words != NULL; words = va_arg(args, const char *)) {
        all = all && strstr(error.message, words) != NULL;
    }

    va_end(args);

    return all;
}


static ux_str_t
str(const char *s)
{
    ux_str_t  result;

    result.data = s;
    result.len = strlen(s);

    return result;
}
