
/*
 * Copyright (C) the nginx-ux authors
 *
 * uxctl simulate: runs handed out to threads.  A run depends on nothing but
 * its seed and number and writes to a place of its own, so who plays it and
 * when does not matter.
 */

#include "uxctl_simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_thread_proc.h>
#include <apr_time.h>


#define UXCTL_SIM_POLL  100000         /* microseconds */
#define UXCTL_SIM_BAR   50


typedef struct {
    const uxctl_sim_scenario_t *const  *scenarios;
    const uxctl_sim_options_t          *options;
    double                             *figures;
    uint32_t                            total;
    volatile apr_uint32_t               next;
    volatile apr_uint32_t               done;
} uxctl_sim_job_t;

typedef struct {
    uxctl_sim_job_t  *job;
    uxctl_sim_run_t   run;
    apr_thread_t     *thread;
} uxctl_sim_worker_t;


static bool uxctl_sim_hire(apr_pool_t *pool, uxctl_sim_job_t *job,
    uxctl_sim_worker_t *workers, uint32_t n);
static void *APR_THREAD_FUNC uxctl_sim_worker(apr_thread_t *thread,
    void *data);
static void uxctl_sim_progress(uxctl_sim_job_t *job);
static void uxctl_sim_bar(const uxctl_sim_job_t *job, uint32_t done);


double *
uxctl_sim_work(apr_pool_t *pool, const uxctl_sim_scenario_t *const *scenarios,
    unsigned n, const uxctl_sim_options_t *options)
{
    bool                 whole;
    uint32_t             i;
    apr_status_t         rc;
    uxctl_sim_job_t      job;
    uxctl_sim_worker_t  *workers;

    job.scenarios = scenarios;
    job.options = options;
    job.total = n * options->runs;
    job.next = 0;
    job.done = 0;

    /* Pools align to 8 bytes, sums of squares want 16. */

    workers = calloc(options->threads, sizeof(*workers));
    job.figures = apr_palloc(pool, sizeof(double) * UXCTL_SIM_FIGURES
                                   * job.total);

    if (workers == NULL || job.figures == NULL) {
        fprintf(stderr, "uxctl: no memory for %u runs\n", job.total);
        free(workers);
        return NULL;
    }

    whole = uxctl_sim_hire(pool, &job, workers, options->threads);

    if (whole) {
        uxctl_sim_progress(&job);

    } else {
        apr_atomic_set32(&job.next, job.total);
        fprintf(stderr, "uxctl: could not start %u threads\n",
                options->threads);
    }

    for (i = 0; i < options->threads; i++) {
        if (workers[i].thread != NULL) {
            (void) apr_thread_join(&rc, workers[i].thread);
        }
    }

    free(workers);

    return whole ? job.figures : NULL;
}


static bool
uxctl_sim_hire(apr_pool_t *pool, uxctl_sim_job_t *job,
    uxctl_sim_worker_t *workers, uint32_t n)
{
    uint32_t          i;
    uxctl_sim_run_t  *run;

    for (i = 0; i < n; i++) {
        workers[i].job = job;

        run = &workers[i].run;
        run->engine = job->options->engine;
        run->due = apr_palloc(pool, sizeof(*run->due) * UXCTL_SIM_RING);
        run->visitors = apr_palloc(pool, sizeof(*run->visitors)
                                         * uxctl_sim_visitors_max());
    }

    for (i = 0; i < n; i++) {
        if (apr_thread_create(&workers[i].thread, NULL, uxctl_sim_worker,
                              &workers[i], pool) != APR_SUCCESS)
        {
            workers[i].thread = NULL;
            return false;
        }
    }

    return true;
}


static void *APR_THREAD_FUNC
uxctl_sim_worker(apr_thread_t *thread, void *data)
{
    uint32_t             i, runs;
    uxctl_sim_job_t     *job;
    uxctl_sim_worker_t  *worker;

    worker = data;
    job = worker->job;
    runs = job->options->runs;

    for ( ;; ) {
        i = apr_atomic_inc32(&job->next);

        if (i >= job->total) {
            break;
        }

        uxctl_sim_start(&worker->run, job->scenarios[i / runs],
                        job->options->seed, i % runs);
        uxctl_sim_play(&worker->run,
                       &job->figures[(size_t) i * UXCTL_SIM_FIGURES]);

        (void) apr_atomic_inc32(&job->done);
    }

    apr_thread_exit(thread, APR_SUCCESS);

    return NULL;
}


/* Until all is done; silent unless a person looks on. */
static void
uxctl_sim_progress(uxctl_sim_job_t *job)
{
    bool      watched;
    uint32_t  done;

    watched = isatty(STDERR_FILENO);

    do {
        apr_sleep(UXCTL_SIM_POLL);
        done = apr_atomic_read32(&job->done);

        if (watched) {
            uxctl_sim_bar(job, done);
        }

    } while (done < job->total);

    if (watched) {
        fprintf(stderr, "\r\033[K");
    }
}


static void
uxctl_sim_bar(const uxctl_sim_job_t *job, uint32_t done)
{
    int       width;
    uint32_t  at;

    at = done < job->total ? done : job->total - 1;
    width = (int) ((uint64_t) done * UXCTL_SIM_BAR / job->total);

    fprintf(stderr, "\r[%.*s%*s] %3u %%  %s\033[K", width,
            "##################################################",
            UXCTL_SIM_BAR - width, "",
            (unsigned) ((uint64_t) done * 100 / job->total),
            job->scenarios[at / job->options->runs]->name);
}
