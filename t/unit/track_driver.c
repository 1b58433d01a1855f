
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
 *   state E running|paused|closed
 *   serve E VARIANT|-
 *   schedule E START_MS STOP_MS                 0: none
 *   expose VISITOR E VARIANT MS
 *   prefetch VISITOR E VARIANT MS
 *   settle VISITOR MS
 *   cross VISITOR E COUNT MS                    COUNT: 0, 1
 *   send VISITOR EVENT MS VALUE|- CURRENCY|- ID|-
 *   confirm VISITOR MS
 *   report MS                                   all that is not 0
 */

#include "track_report.h"

#include <stdlib.h>


#define VISITORS   1024
#define WORDS_MAX  24


/* What has a status, or true and false. */
enum { EXPOSE, PREFETCH, SETTLE, CROSS, SEND, ACTS };

static const char *const  acts[ACTS] = {
    "expose", "prefetch", "settle", "cross", "send"
};


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
static void run_state(char **words, unsigned n);
static void run_serve(char **words, unsigned n);
static void run_schedule(char **words, unsigned n);
static void run_expose(char **words, unsigned n);
static void run_prefetch(char **words, unsigned n);
static void run_settle(char **words, unsigned n);
static void run_cross(char **words, unsigned n);
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
    { "state", 3, run_state },
    { "serve", 3, run_serve },
    { "schedule", 4, run_schedule },
    { "expose", 5, run_expose },
    { "prefetch", 5, run_prefetch },
    { "settle", 3, run_settle },
    { "cross", 5, run_cross },
    { "send", 7, run_send },
    { "confirm", 3, run_confirm },
    { "report", 2, run_report },
    { NULL, 0, NULL }
};


static world_t       w;
static record_t      records[VISITORS];
static ux_visitor_t  visitor;
static record_t     *current;
static unsigned      statuses[ACTS][UX_FULL + 1];

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
        if (strcmp(w.experiments[i].name.data, word) == 0) {
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

    w.experiments[i].name = keep(words[1]);
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


static void
run_state(char **words, unsigned n)
{
    (void) n;

    w.experiments[experiment_index(words[1])].state =
        words[2][0] == 'p' ? UX_STATE_PAUSED
        : words[2][0] == 'c' ? UX_STATE_CLOSED : UX_STATE_RUNNING;
}


static void
run_serve(char **words, unsigned n)
{
    (void) n;

    w.experiments[experiment_index(words[1])].serve =
        words[2][0] == '-' ? -1 : (int) number(words[2]);
}


static void
run_schedule(char **words, unsigned n)
{
    unsigned  i;

    (void) n;
    i = experiment_index(words[1]);

    w.experiments[i].start_ms = number(words[2]);
    w.experiments[i].stop_ms = number(words[3]);
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
    statuses[EXPOSE][status]++;
    put_back(words[1]);
}


static void
run_prefetch(char **words, unsigned n)
{
    uint64_t     now_ms;
    ux_status_t  status;

    (void) n;
    now_ms = number(words[4]);

    take(words[1], now_ms);
    status = ux_track_prefetch(&w.plan, &visitor, experiment_index(words[2]),
                               (unsigned) number(words[3]), now_ms);
    statuses[PREFETCH][status]++;
    put_back(words[1]);
}


static void
run_settle(char **words, unsigned n)
{
    uint64_t  now_ms;

    (void) n;
    now_ms = number(words[2]);

    take(words[1], now_ms);
    statuses[SETTLE][ux_track_settle(&w.plan, &visitor, now_ms, NULL,
                                     &w.changes)]++;
    put_back(words[1]);
}


static void
run_cross(char **words, unsigned n)
{
    bool         crossed;
    uint64_t     now_ms;
    ux_track_t  *track;

    (void) n;
    now_ms = number(words[4]);

    take(words[1], now_ms);
    track = ux_track_find(&w.plan, &visitor, experiment_index(words[2]));

    crossed = track != NULL
              && ux_track_cross(&w.plan, &visitor,
                                (unsigned) (track - visitor.tracks), now_ms,
                                number(words[3]) != 0, &w.changes);

    statuses[CROSS][crossed]++;
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
    statuses[SEND][status]++;
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
run_report(char **words, unsigned n)
{
    char      name[32];
    unsigned  i, k;

    (void) n;

    printf("report %s\n", words[1]);
    world_report(&w, number(words[1]));

    for (k = 0; k < ACTS; k++) {
        for (i = 0; i <= UX_FULL; i++) {
            (void) snprintf(name, sizeof(name), ".%u", i);
            show("status.", acts[k], name, statuses[k][i]);
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
