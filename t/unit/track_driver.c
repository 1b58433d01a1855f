
/*
 * Copyright (C) the nginx-ux authors
 *
 * Drives the event path from lines on stdin and prints what was counted, for
 * t/15-track.t to hold against t/unit/track_reference.py.  Visitors are kept
 * packed, counters in plain arrays.
 *
 *   event NAME                                  beyond the built-in ones
 *   funnel NAME CART_EVENT|- WITHIN_MS STEP...  an optional step ends in '?'
 *   total EVENT mean|count|ratio
 *   experiment NAME VARIANTS WINDOW_MS CAP
 *   room N                                      assignments of a record
 *
 *   epoch E N                                   newcomers of E go there
 *   remove E, restore E
 *   expose VISITOR E VARIANT MS
 *   send VISITOR EVENT MS VALUE|- CURRENCY|- ID|-
 *   confirm VISITOR MS
 *   report MS                                   all that is not 0
 */

#include "track_world.h"
#include "ux_cart.h"

#include <inttypes.h>
#include <stdlib.h>


#define VISITORS   1024
#define WORDS_MAX  24


typedef struct {
    bool     known;
    size_t   len;
    uint8_t  packed[UX_PACKED_MAX];
} record_t;


typedef void (*command_pt)(char **words, unsigned n);

typedef struct {
    const char  *name;
    unsigned     words;            /* at least, the command's own one too */
    command_pt   run;
} command_t;


static void run_event(char **words, unsigned n);
static void run_funnel(char **words, unsigned n);
static void run_total(char **words, unsigned n);
static void run_experiment(char **words, unsigned n);
static void run_room(char **words, unsigned n);
static void run_epoch(char **words, unsigned n);
static void run_remove(char **words, unsigned n);
static void run_restore(char **words, unsigned n);
static void run_expose(char **words, unsigned n);
static void run_send(char **words, unsigned n);
static void run_confirm(char **words, unsigned n);
static void run_report(char **words, unsigned n);


static const command_t  commands[] = {
    { "event", 2, run_event },
    { "funnel", 5, run_funnel },
    { "total", 3, run_total },
    { "experiment", 5, run_experiment },
    { "room", 2, run_room },
    { "epoch", 3, run_epoch },
    { "remove", 2, run_remove },
    { "restore", 2, run_restore },
    { "expose", 5, run_expose },
    { "send", 7, run_send },
    { "confirm", 3, run_confirm },
    { "report", 2, run_report },
    { NULL, 0, NULL }
};


static world_t       w;
static record_t      records[VISITORS];
static ux_visitor_t  visitor;
static record_t     *current;
static unsigned      statuses[2][UX_FULL + 1];   /* expose, send */

static char  names[UX_EXPERIMENTS_MAX][UX_NAME_MAX + 1];
static char  texts[256][UX_NAME_MAX + 1];
static unsigned  ntexts;


static void
fail(const char *what, const char *word)
{
    fprintf(stderr, "track_driver: %s: %s\n", what, word);
    exit(2);
}


static uint64_t
number(const char *word)
{
    char      *end;
    uint64_t   value;

    value = strtoull(word, &end, 10);

    if (end == word || *end != '\0') {
        fail("not a number", word);
    }

    return value;
}


static ux_str_t
keep(const char *word)
{
    ux_str_t  s;

    if (ntexts == sizeof(texts) / sizeof(texts[0])) {
        fail("too many names", word);
    }

    (void) snprintf(texts[ntexts], sizeof(texts[0]), "%s", word);

    s.data = texts[ntexts];
    s.len = strlen(texts[ntexts]);
    ntexts++;

    return s;
}


static uint8_t
event_index(const char *word)
{
    int       found;
    ux_str_t  name = { word, strlen(word) };

    found = ux_model_event_find(&w.model, name);

    if (found < 0) {
        fail("no such event", word);
    }

    return (uint8_t) found;
}


static unsigned
experiment_index(const char *word)
{
    unsigned  i;

    for (i = 0; i < w.model.nexperiments; i++) {
        if (strcmp(names[i], word) == 0) {
            return i;
        }
    }

    fail("no such experiment", word);
    return 0;
}


static void
run_event(char **words, unsigned n)
{
    uint8_t  index;

    (void) n;

    if (ux_model_event_add(&w.model, keep(words[1]), &index) != UX_OK) {
        fail("too many events", words[1]);
    }
}


static void
run_funnel(char **words, unsigned n)
{
    bool          optional;
    char         *end;
    uint8_t       cart;
    unsigned      i;
    ux_funnel_t  *funnel;

    cart = words[2][0] == '-' ? UX_SLOT_NONE : event_index(words[2]);

    funnel = world_funnel(&w, cart, number(words[3]));
    funnel->name = keep(words[1]);

    for (i = 4; i < n; i++) {
        end = words[i] + strlen(words[i]) - 1;
        optional = *end == '?';

        if (optional) {
            *end = '\0';
        }

        world_step(&w, funnel, event_index(words[i]), optional);
    }
}


static void
run_total(char **words, unsigned n)
{
    ux_total_t  *total;

    (void) n;

    if (w.model.ntotals == UX_TOTALS_MAX) {
        fail("too many totals", words[1]);
    }

    total = &w.model.totals[w.model.ntotals];
    total->event = event_index(words[1]);
    total->slot = (uint8_t) w.model.ntotals++;
    total->type = words[2][0] == 'm' ? UX_METRIC_MEAN
                  : words[2][0] == 'c' ? UX_METRIC_COUNT : UX_METRIC_RATIO;
}


static void
run_experiment(char **words, unsigned n)
{
    unsigned  i;

    (void) n;
    i = w.model.nexperiments;

    if (i == WORLD_EXPERIMENTS || number(words[2]) > WORLD_VARIANTS) {
        fail("too many experiments or variants", words[1]);
    }

    w.model.nexperiments++;

    (void) snprintf(names[i], sizeof(names[0]), "%s", words[1]);
    w.experiments[i].nvariants = (unsigned) number(words[2]);
    w.experiments[i].window_ms = number(words[3]);
    w.experiments[i].cap = (int64_t) number(words[4]);

    world_present(&w, i, true);
    world_bind(&w, i, 0);
}


static void
run_room(char **words, unsigned n)
{
    (void) n;
    w.plan.experiments_max = (unsigned) number(words[1]);
}


static void
run_epoch(char **words, unsigned n)
{
    (void) n;

    if (number(words[2]) >= WORLD_EPOCHS) {
        fail("too many epochs", words[2]);
    }

    world_bind(&w, experiment_index(words[1]), (unsigned) number(words[2]));
}


static void
run_remove(char **words, unsigned n)
{
    (void) n;
    world_present(&w, experiment_index(words[1]), false);
}


static void
run_restore(char **words, unsigned n)
{
    (void) n;
    world_present(&w, experiment_index(words[1]), true);
}


/* The visitor comes out of its packed form, with rubbish around it. */
static void
take(const char *word, uint64_t now_ms)
{
    uint64_t  id;

    id = number(word);

    if (id >= VISITORS) {
        fail("too many visitors", word);
    }

    current = &records[id];
    memset(&visitor, 0xa5, sizeof(visitor));

    if (!current->known) {
        current->known = true;
        ux_visitor_init(&visitor, id, (uint32_t) (now_ms / 1000));

    } else if (ux_visitor_unpack(&visitor, current->packed, current->len)
               != UX_OK)
    {
        fail("does not unpack", word);
    }

    visitor.last_s = (uint32_t) (now_ms / 1000);
    ux_changes_clear(&w.changes);
}


static void
put_back(const char *word)
{
    if (w.changes.overflow) {
        fail("too many changes", word);
    }

    world_apply(&w);

    if (ux_visitor_pack(&visitor, current->packed, &current->len) != UX_OK) {
        fail("does not pack", word);
    }
}


static void
run_expose(char **words, unsigned n)
{
    uint64_t     now_ms;
    ux_status_t  status;

    (void) n;
    now_ms = number(words[4]);

    take(words[1], now_ms);
    status = ux_track_expose(&w.plan, &visitor, experiment_index(words[2]),
                             (unsigned) number(words[3]), now_ms,
                             &w.changes);
    statuses[0][status]++;
    put_back(words[1]);
}


static void
run_send(char **words, unsigned n)
{
    ux_event_t    event;
    ux_status_t   status;
    ux_discard_e  why;

    (void) n;
    memset(&event, 0, sizeof(event));

    event.event = event_index(words[2]);
    event.now_ms = number(words[3]);
    event.has_value = words[4][0] != '-';
    event.value = event.has_value ? (int64_t) number(words[4]) : 0;
    event.currency = words[5][0] == '-' ? UX_CURRENCY_ZONE
                                        : (uint16_t) number(words[5]);

    /* Ids are per event name. */

    if (words[6][0] != '-') {
        event.id_hash = 1 + number(words[6]) + event.event * 1000000ull;
    }

    take(words[1], event.now_ms);
    status = ux_track_event(&w.plan, &visitor, &event, &w.changes, &why);
    statuses[1][status]++;
    put_back(words[1]);
}


static void
run_confirm(char **words, unsigned n)
{
    (void) n;

    take(words[1], number(words[2]));
    ux_track_confirm(&w.plan, &visitor, &w.changes);
    put_back(words[1]);
}


static void
show(const char *where, const char *name, const char *field, int64_t value)
{
    if (value != 0) {
        printf("%s%s%s %" PRId64 "\n", where, name, field, value);
    }
}


static void
report_zone(void)
{
    char      name[32];
    unsigned  i;

    for (i = 0; i < w.model.nevents; i++) {
        show("zone.events.", w.model.events[i].data, "",
             (int64_t) w.cells[UX_ZONE_EVENTS + w.model.event_slots[i]]);
    }

    for (i = 0; i < UX_DISCARDS; i++) {
        show("zone.discarded.", ux_discard_names[i], "",
             (int64_t) w.cells[UX_ZONE_DISCARDED + i]);
    }

    for (i = 0; i < 192; i++) {
        (void) snprintf(name, sizeof(name), "%u", i);
        show("zone.currency.", name, ".sum",
             (int64_t) w.cells[UX_ZONE_CURRENCY_SUM + i]);
        show("zone.currency.", name, ".count",
             (int64_t) w.cells[UX_ZONE_CURRENCY_COUNT + i]);
    }

    show("zone.", "provisional", "",
         (int64_t) w.cells[UX_ZONE_PROVISIONAL]);
    show("zone.", "purchases_without_id", "",
         (int64_t) w.cells[UX_ZONE_PURCHASES_WITHOUT_ID]);

    for (i = 0; i <= UX_FULL; i++) {
        (void) snprintf(name, sizeof(name), "%u", i);
        show("status.expose.", name, "", statuses[0][i]);
        show("status.send.", name, "", statuses[1][i]);
    }
}


static void
report_events(const char *where, unsigned arm)
{
    char                name[32];
    unsigned            i, k, slot;
    const ux_funnel_t  *f;

    for (i = 0; i < w.model.nevents; i++) {
        slot = w.model.event_slots[i];

        show(where, w.model.events[i].data, ".visitors",
             world_cell(&w, arm, UX_ARM_EVENT_VISITORS + slot));
        show(where, w.model.events[i].data, ".count",
             world_cell(&w, arm, UX_ARM_EVENT_COUNT + slot));
    }

    for (i = 0; i < w.model.nfunnels; i++) {
        f = &w.model.funnels[i];

        for (k = 0; k < f->nsteps; k++) {
            slot = f->steps[k].slot;

            (void) snprintf(name, sizeof(name), ".%u.before", k + 1);
            show(where, f->name.data, name,
                 world_cell(&w, arm, UX_ARM_STEP_BEFORE + slot));

            (void) snprintf(name, sizeof(name), ".%u.in_order", k + 1);
            show(where, f->name.data, name,
                 world_cell(&w, arm, UX_ARM_STEP_IN_ORDER + slot));
        }
    }
}


static void
report_totals(const char *where, unsigned arm)
{
    char      name[32];
    unsigned  i, at;
    int64_t   lo, hi;

    for (i = 0; i < w.model.ntotals; i++) {
        at = UX_ARM_TOTALS + w.model.totals[i].slot * UX_TOTAL_CELLS;
        lo = world_cell(&w, arm, at + UX_TOTAL_SQ_LO);
        hi = world_cell(&w, arm, at + UX_TOTAL_SQ_HI);

        (void) snprintf(name, sizeof(name), "total%u", i);
        show(where, name, ".sum", world_cell(&w, arm, at + UX_TOTAL_SUM));
        show(where, name, ".squares", lo + hi * ((int64_t) 1 << 32));
    }
}


/* Over the rows not wholly older than the window. */
static int64_t
young(unsigned arm, const ux_funnel_t *f, unsigned field, uint64_t now_ms)
{
    int64_t   sum;
    uint64_t  bucket, width_ms;

    width_ms = ux_bucket_width_ms(f->within_ms);
    sum = 0;

    for (bucket = now_ms / width_ms;
         (bucket + 1) * width_ms + f->within_ms > now_ms;
         bucket--)
    {
        sum += world_ring(&w, arm, f->cart, bucket, field);
    }

    return sum;
}


static void
report_carts(const char *where, unsigned arm, const ux_funnel_t *f,
    uint64_t now_ms)
{
    char         name[32];
    int64_t      alive, created, open, value, young_purchased;
    unsigned     k;
    const char  *funnel;

    funnel = f->name.data;
    created = world_cart(&w, arm, f->cart, UX_CART_PURCHASED);
    open = 0;

    show(where, funnel, ".purchased", created);
    show(where, funnel, ".carried_in",
         world_cart(&w, arm, f->cart, UX_CART_CARRIED_IN));
    show(where, funnel, ".without_cart",
         world_cart(&w, arm, f->cart, UX_CART_WITHOUT_CART));
    show(where, funnel, ".recovered",
         world_cart(&w, arm, f->cart, UX_CART_RECOVERED));
    show(where, funnel, ".recovered_settled",
         world_cart(&w, arm, f->cart, UX_CART_RECOVERED)
         - young(arm, f, UX_RING_RECOVERED, now_ms));

    for (k = 0; k <= UX_FUNNEL_STEPS_MAX; k++) {
        alive = world_cart(&w, arm, f->cart, UX_CART_ALIVE + k);
        value = young(arm, f, UX_RING_ALIVE + k, now_ms);

        (void) snprintf(name, sizeof(name), ".abandoned_after.%u", k);
        show(where, funnel, name, alive - value);

        created += alive;
        open += value;
    }

    young_purchased = young(arm, f, UX_RING_PURCHASED, now_ms);

    show(where, funnel, ".created", created);
    show(where, funnel, ".open", open);
    show(where, funnel, ".settled", created - open - young_purchased);
}


static void
run_report(char **words, unsigned n)
{
    char      where[128];
    uint64_t  now_ms;
    unsigned  arm, e, i, p, v;

    (void) n;
    now_ms = number(words[1]);

    printf("report %s\n", words[1]);
    report_zone();

    for (e = 0; e < w.model.nexperiments; e++) {
        for (p = 0; p < WORLD_EPOCHS; p++) {
            for (v = 0; v < w.experiments[e].nvariants; v++) {
                arm = world_arm(e, p, v);

                (void) snprintf(where, sizeof(where), "%s.%u.%u.", names[e],
                                p, v);
                show(where, "assigned", "",
                     world_cell(&w, arm, UX_ARM_ASSIGNED));
                show(where, "visitors", "",
                     world_cell(&w, arm, UX_ARM_VISITORS));
                show(where, "moved", "", world_cell(&w, arm, UX_ARM_MOVED));
                report_events(where, arm);
                report_totals(where, arm);

                for (i = 0; i < w.model.nfunnels; i++) {
                    if (ux_cart_bound(&w.model.funnels[i])) {
                        report_carts(where, arm, &w.model.funnels[i],
                                     now_ms);
                    }
                }
            }
        }
    }
}


static void
run_line(char *line)
{
    char             *words[WORDS_MAX];
    unsigned          n;
    const command_t  *command;

    n = 0;

    for (words[n] = strtok(line, " \n"); words[n] != NULL;
         words[n] = strtok(NULL, " \n"))
    {
        if (++n == WORDS_MAX) {
            fail("too many words", words[0]);
        }
    }

    if (n == 0 || words[0][0] == '#') {
        return;
    }

    for (command = commands; command->name != NULL; command++) {
        if (strcmp(command->name, words[0]) == 0 && n >= command->words) {
            command->run(words, n);
            return;
        }
    }

    fail("not a command", words[0]);
}


int
main(void)
{
    char      line[1024];
    unsigned  i;

    world_init(&w, 0, 0);

    /* Slots unlike indices, as in a zone with a past. */

    for (i = 0; i < UX_EVENTS_MAX; i++) {
        w.model.event_slots[i] = (uint8_t) (UX_EVENTS_MAX - 1 - i);
    }

    while (fgets(line, sizeof(line), stdin) != NULL) {
        run_line(line);
    }

    return 0;
}
