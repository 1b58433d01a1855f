
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: visitors, what they buy, and the counts of it.  A visitor
 * takes one random number: the upper half says which arm, the lower half
 * whether there will be a purchase.
 *
 * Purchases to come are lists of visitors in a ring, by the visitor (as a
 * clock) with whom they are due; a visitor waits for one purchase at a time.
 */

#include "uxctl_simulate.h"

#include <string.h>


#define UXCTL_SIM_ONE    4294967296.0      /* 2^32 */
#define UXCTL_SIM_NONE   UINT32_MAX
#define UXCTL_SIM_SCALE  5000.0            /* median amount, minor units */

/* Swinging rates move every so many visitors. */
#define UXCTL_SIM_TICK   64


static uint64_t uxctl_sim_stream(const char *name, uint64_t seed,
    uint32_t number);
static void uxctl_sim_split(uxctl_sim_run_t *run, unsigned epoch);
static void uxctl_sim_rates(uxctl_sim_run_t *run);
static void uxctl_sim_buyer(uxctl_sim_run_t *run, unsigned arm);
static void uxctl_sim_schedule(uxctl_sim_run_t *run, uint32_t visitor);
static void uxctl_sim_due(uxctl_sim_run_t *run);
static void uxctl_sim_purchase(uxctl_sim_run_t *run,
    uxctl_sim_visitor_t *visitor);
static void uxctl_sim_spend(uxctl_sim_run_t *run,
    uxctl_sim_visitor_t *visitor);
static int64_t uxctl_sim_capped(int64_t total, int64_t cap);


void
uxctl_sim_start(uxctl_sim_run_t *run, const uxctl_sim_scenario_t *scenario,
    uint64_t seed, uint32_t number)
{
    uint32_t  i;

    uxctl_sim_random_init(&run->random,
                          uxctl_sim_stream(scenario->name, seed, number));

    run->scenario = scenario;
    run->seen = 0;
    run->phase = uxctl_sim_uniform(&run->random);

    memset(run->cells, 0, sizeof(run->cells));

    uxctl_sim_split(run, 0);
    uxctl_sim_rates(run);

    if (scenario->delay > 0) {
        for (i = 0; i < UXCTL_SIM_RING; i++) {
            run->due[i] = UXCTL_SIM_NONE;
        }
    }
}


static uint64_t
uxctl_sim_stream(const char *name, uint64_t seed, uint32_t number)
{
    uint64_t  state;

    state = uxctl_sim_mix(&seed) + number;

    for ( /* void */ ; *name != '\0'; name++) {
        state = uxctl_sim_mix(&state) + (uint8_t) *name;
    }

    return state;
}


static void
uxctl_sim_split(uxctl_sim_run_t *run, unsigned epoch)
{
    double         sum, total;
    unsigned       i, arms;
    const double  *shares;

    arms = run->scenario->arms;
    shares = run->scenario->shares[epoch];
    total = 0;
    sum = 0;

    for (i = 0; i < arms; i++) {
        total += shares[i];
    }

    for (i = 0; i < arms; i++) {
        sum += shares[i];
        run->bounds[i] = (uint64_t) (UXCTL_SIM_ONE * sum / total + 0.5);
    }

    run->epoch = epoch;
}


static void
uxctl_sim_rates(uxctl_sim_run_t *run)
{
    double                       turn, rate;
    unsigned                     i;
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;

    for (i = 0; i < scenario->arms; i++) {
        rate = scenario->rates[i];

        if (scenario->swing > 0) {
            turn = run->phase
                   + (double) run->seen / (double) scenario->visitors;
            rate *= 1 + scenario->swing * sin(6.283185307179586 * turn);
        }

        run->rates[i] = (uint64_t) (UXCTL_SIM_ONE * rate + 0.5);
    }
}


void
uxctl_sim_visit(uxctl_sim_run_t *run)
{
    uint64_t                     bits;
    unsigned                     i, arm;
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;

    if (run->seen == scenario->change && run->seen > 0) {
        uxctl_sim_split(run, 1);
    }

    if (scenario->swing > 0 && run->seen % UXCTL_SIM_TICK == 0) {
        uxctl_sim_rates(run);
    }

    bits = uxctl_sim_next(&run->random);
    arm = 0;

    /* No early exit: nobody could foretell the branch. */

    for (i = 0; i + 1 < scenario->arms; i++) {
        arm += bits >> 32 >= run->bounds[i];
    }

    run->cells[run->epoch][arm].visitors++;

    if ((bits & 0xffffffff) < run->rates[arm]) {
        uxctl_sim_buyer(run, arm);
    }

    if (scenario->delay > 0) {
        uxctl_sim_due(run);
    }

    run->seen++;
}


static void
uxctl_sim_buyer(uxctl_sim_run_t *run, unsigned arm)
{
    uxctl_sim_visitor_t          once, *visitor;
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;
    /* cppcheck-suppress uninitvar ; only its address */
    visitor = scenario->delay > 0 ? &run->visitors[run->seen] : &once;

    visitor->total = 0;
    visitor->left = 1;
    visitor->epoch = (uint8_t) run->epoch;
    visitor->arm = (uint8_t) arm;
    visitor->converted = false;

    if (scenario->purchases > 0) {
        visitor->left = (uint16_t) uxctl_sim_poisson(&run->random,
                                                     scenario->purchases);
    }

    if (scenario->delay > 0) {
        uxctl_sim_schedule(run, run->seen);
        return;
    }

    while (visitor->left > 0) {
        uxctl_sim_purchase(run, visitor);
    }
}


static void
uxctl_sim_schedule(uxctl_sim_run_t *run, uint32_t visitor)
{
    double    gap;
    uint32_t  at;

    if (run->visitors[visitor].left == 0) {
        return;
    }

    gap = 1 + uxctl_sim_exponential(&run->random, run->scenario->delay);

    if (gap > UXCTL_SIM_RING - 1) {
        gap = UXCTL_SIM_RING - 1;
    }

    at = (run->seen + (uint32_t) gap) % UXCTL_SIM_RING;

    run->visitors[visitor].next = run->due[at];
    run->due[at] = visitor;
}


static void
uxctl_sim_due(uxctl_sim_run_t *run)
{
    uint32_t  *head, visitor, next;

    head = &run->due[run->seen % UXCTL_SIM_RING];
    visitor = *head;
    *head = UXCTL_SIM_NONE;

    while (visitor != UXCTL_SIM_NONE) {
        next = run->visitors[visitor].next;

        uxctl_sim_purchase(run, &run->visitors[visitor]);
        uxctl_sim_schedule(run, visitor);

        visitor = next;
    }
}


static void
uxctl_sim_purchase(uxctl_sim_run_t *run, uxctl_sim_visitor_t *visitor)
{
    visitor->left--;

    if (!visitor->converted || run->engine == UXCTL_SIM_EVENTS) {
        run->cells[visitor->epoch][visitor->arm].converters++;
        visitor->converted = true;
    }

    if (run->scenario->revenue) {
        uxctl_sim_spend(run, visitor);
    }
}


/* The total is kept uncapped; the sums change by what the cap lets through. */
static void
uxctl_sim_spend(uxctl_sim_run_t *run, uxctl_sim_visitor_t *visitor)
{
    double                       amount;
    int64_t                      from, to;
    uxctl_sim_cell_t            *cell;
    const uxctl_sim_scenario_t  *scenario;

    scenario = run->scenario;
    cell = &run->cells[visitor->epoch][visitor->arm];

    amount = UXCTL_SIM_SCALE
             * exp(scenario->sigma * uxctl_sim_normal(&run->random));

    if (visitor->arm == 1) {
        amount *= 1 + scenario->dearer;
    }

    from = uxctl_sim_capped(visitor->total, scenario->cap);
    visitor->total += llround(amount);
    to = uxctl_sim_capped(visitor->total, scenario->cap);

    cell->sum += to - from;
    cell->squares += (ux_u128_t) to * (ux_u128_t) to
                     - (ux_u128_t) from * (ux_u128_t) from;
}


static int64_t
uxctl_sim_capped(int64_t total, int64_t cap)
{
    return cap > 0 && total > cap ? cap : total;
}


/* Rounding to whole units moves it by much less than what is looked for. */
double
uxctl_sim_amount(const uxctl_sim_scenario_t *scenario)
{
    return UXCTL_SIM_SCALE * exp(scenario->sigma * scenario->sigma / 2);
}
