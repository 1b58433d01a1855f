
/*
 * Copyright (C) the nginx-ux authors
 *
 * What the tests of a whole zone share: its memory, a process with a model.
 */

#ifndef STORE_CASE_H
#define STORE_CASE_H


#include "ux_store.h"
#include "ux_registry_private.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define KIB  1024ull
#define MIB  (1024 * KIB)

#define EXPERIMENTS  40


/* A process's own: what the caller of the store provides. */
typedef struct {
    ux_store_t       store;
    ux_model_t       model;
    ux_arm_t        *arms;
    ux_binding_t     bindings[EXPERIMENTS];
    ux_experiment_t  experiments[EXPERIMENTS];
    char             names[EXPERIMENTS][16];
} worker_t;


static ux_store_params_t  params = { 8, 3, 2592000 };
static uint8_t            secrets[64] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
static ux_error_t         error;


__attribute__((unused))
static void *
zone_map(size_t size)
{
    void  *mem;

    mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (mem == MAP_FAILED) {
        printf("Bail out! no memory\n");
        exit(1);
    }

    return mem;
}


__attribute__((unused))
static void *
zone_make(size_t size)
{
    void  *mem;

    mem = zone_map(size);

    if (ux_store_init(mem, size, &params, secrets, 123, &error) != UX_OK) {
        printf("Bail out! %s\n", error.message);
        exit(1);
    }

    return mem;
}


/* n experiments of two variants, a funnel with a cart, a total. */
__attribute__((unused))
static worker_t *
worker_make(void *mem, size_t size, unsigned n)
{
    unsigned          i;
    worker_t         *w;
    ux_str_t          zone = ux_str("shop");
    ux_str_t          checkout = ux_str("checkout");
    ux_str_t          signed_up = ux_str("signed_up");
    ux_str_t          control = ux_str("control");
    ux_str_t          page = ux_str("one_page");
    ux_experiment_t  *experiment;

    w = calloc(1, sizeof(worker_t));

    if (ux_store_attach(&w->store, mem, size, &error) != UX_OK) {
        printf("Bail out! %s\n", error.message);
        exit(1);
    }

    w->arms = calloc(w->store.head->registry_capacity, sizeof(ux_arm_t));

    ux_model_init(&w->model, zone, 0);

    w->model.events[w->model.nevents++] = signed_up;

    w->model.totals[1].event = UX_EVENT_BUILTIN;
    w->model.totals[1].type = UX_METRIC_COUNT;
    w->model.ntotals = 2;

    w->model.nfunnels = 1;
    w->model.funnels[0].name = checkout;
    w->model.funnels[0].nsteps = 2;
    w->model.funnels[0].steps[0].event = UX_EVENT_BEGIN_CHECKOUT;
    w->model.funnels[0].steps[1].event = UX_EVENT_PURCHASE;
    w->model.funnels[0].cart_event = UX_EVENT_ADD_TO_CART;
    w->model.funnels[0].within_ms = 3600000;

    w->model.experiments = w->experiments;
    w->model.nexperiments = n;

    for (i = 0; i < n; i++) {
        (void) snprintf(w->names[i], sizeof(w->names[i]), "exp_%u", i);

        experiment = &w->experiments[i];
        experiment->name.data = w->names[i];
        experiment->name.len = strlen(w->names[i]);
        experiment->salt = experiment->name;
        experiment->version = 1;
        experiment->traffic = 1;
        experiment->window_ms = 604800000;
        experiment->nvariants = 2;
        experiment->variants[0].name = control;
        experiment->variants[0].weight = 50;
        experiment->variants[1].name = page;
        experiment->variants[1].weight = 50;
    }

    return w;
}


__attribute__((unused))
static ux_status_t
worker_bind(worker_t *w)
{
    return ux_store_bind(&w->store, &w->model, w->arms, w->bindings, 1000);
}


__attribute__((unused))
static void
worker_free(worker_t *w)
{
    ux_store_leave(&w->store);
    free(w->arms);
    free(w);
}


#endif
