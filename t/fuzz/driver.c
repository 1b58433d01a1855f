
/*
 * Copyright (C) the nginx-ux authors
 *
 * Runs a fuzz target where there is no libFuzzer: gcc's sanitizers are enough.
 *
 *   fuzz_<name> [-runs=N] [-seed=S] [-max_len=L] [-timeout=SECONDS]
 *               [-artifact_prefix=PATH] [FILE or FOLDER ...]
 *
 * First every file given, as it is, then N inputs mutated from them: bits
 * flipped, numbers changed, pieces inserted, repeated, taken from another
 * input or from the target's dictionary.  Inputs that reach code no other has
 * reached (gcc's -fsanitize-coverage=trace-pc) join those that are mutated;
 * without that option mutation goes on blindly.  The same seed and the same
 * build run the same inputs.
 *
 * The inputs run in a child.  The parent looks on, through memory they share:
 * it writes the input that the child died of to a file, and takes one that
 * costs more processor time than `timeout` for a finding as well.  Exit
 * status: 0, 1 for a finding, 2 if a word was wrong.
 */

#include "driver.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define FUZZ_POOL      4096            /* inputs that are mutated */
#define FUZZ_LEN_MAX   (1 << 20)
#define FUZZ_EDGES     (1 << 14)
#define FUZZ_NAPS_NS   20000000


typedef struct {
    uint64_t     runs;
    uint64_t     seed;
    uint64_t     max_len;
    uint64_t     timeout;              /* seconds */
    const char  *prefix;
} fuzz_options_t;

/* What the parent sees of the child. */
typedef struct {
    volatile uint64_t  executions;
    volatile uint64_t  kept;
    volatile uint64_t  edges;
    volatile size_t    len;
    uint8_t            data[FUZZ_LEN_MAX];
} fuzz_shared_t;


extern const char  __executable_start[];

#pragma weak LLVMFuzzerInitialize

void __sanitizer_cov_trace_pc(void);
const char *__asan_default_options(void);


static int fuzz_options(int argc, char **argv);
static bool fuzz_number(const char *word, const char *name, uint64_t *value);
static void fuzz_load(const char *path);
static void fuzz_load_folder(const char *path);
static void fuzz_load_file(const char *path);
static void fuzz_keep(const uint8_t *data, size_t len);
static void fuzz_child(void);
static void fuzz_run(const fuzz_input_t *input);
static bool fuzz_reached(void);
static uint8_t fuzz_class(uint8_t hits);
static int fuzz_watch(pid_t child);
static double fuzz_cpu(pid_t child);
static double fuzz_now(void);
static int fuzz_tell(int status, bool late, double seconds);
static void fuzz_save(void);


static fuzz_options_t   options = { 0, 1, 4096, 1, "" };
static fuzz_shared_t   *shared;
static fuzz_input_t     pool[FUZZ_POOL];
static size_t           npool;

/* Edges: how often in this run, and in which classes of that in any. */
static uint8_t   hits[FUZZ_EDGES];
static uint8_t   seen[FUZZ_EDGES];
static uint32_t  touched[FUZZ_EDGES];
static uint32_t  ntouched;
static uint32_t  previous;

static const char  *program;


int
main(int argc, char **argv)
{
    int    rc;
    pid_t  child;

    program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];

    rc = fuzz_options(argc, argv);

    if (rc != 0) {
        return rc;
    }

    shared = mmap(NULL, sizeof(fuzz_shared_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        fprintf(stderr, "%s: no memory\n", program);
        return 2;
    }

    fflush(NULL);
    child = fork();

    if (child == -1) {
        fprintf(stderr, "%s: fork: %s\n", program, strerror(errno));
        return 2;
    }

    if (child == 0) {
        if (LLVMFuzzerInitialize != NULL) {
            (void) LLVMFuzzerInitialize(&argc, &argv);
        }

        fuzz_child();
        exit(0);                       /* leaks are looked for here */
    }

    return fuzz_watch(child);
}


/* Freed blocks need not be remembered long: inputs are short. */
const char *
__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=8";
}


/*
 * Called at every edge of code built with -fsanitize-coverage=trace-pc: checks
 * of its own would take more than the code has.
 */
__attribute__((no_sanitize("address", "undefined"))) void
__sanitizer_cov_trace_pc(void)
{
    uint32_t   i;
    uintptr_t  at;

    at = (uintptr_t) __builtin_return_address(0)
         - (uintptr_t) __executable_start;
    i = (uint32_t) at * 2654435761u >> 7;
    at = (i ^ previous) % FUZZ_EDGES;
    previous = i >> 1;

    if (hits[at] == 0) {
        touched[ntouched++] = (uint32_t) at;
    }

    hits[at] = (uint8_t) (hits[at] + (hits[at] < UINT8_MAX));
}


static int
fuzz_options(int argc, char **argv)
{
    int  i;

    for (i = 1; i < argc; i++) {

        if (fuzz_number(argv[i], "-runs=", &options.runs)
            || fuzz_number(argv[i], "-seed=", &options.seed)
            || fuzz_number(argv[i], "-max_len=", &options.max_len)
            || fuzz_number(argv[i], "-timeout=", &options.timeout))
        {
            continue;
        }

        if (strncmp(argv[i], "-artifact_prefix=", 17) == 0) {
            options.prefix = argv[i] + 17;

        } else if (argv[i][0] == '-') {
            fprintf(stderr, "%s: unknown option \"%s\"\n", program, argv[i]);
            return 2;

        } else {
            fuzz_load(argv[i]);
        }
    }

    if (options.max_len == 0 || options.max_len > FUZZ_LEN_MAX) {
        fprintf(stderr, "%s: max_len is not valid: expected 1 to %d\n",
                program, FUZZ_LEN_MAX);
        return 2;
    }

    fuzz_seed(options.seed);

    return 0;
}


static bool
fuzz_number(const char *word, const char *name, uint64_t *value)
{
    size_t  len = strlen(name);

    if (strncmp(word, name, len) != 0) {
        return false;
    }

    *value = strtoull(word + len, NULL, 10);

    return true;
}


static void
fuzz_load(const char *path)
{
    struct stat  st;

    if (stat(path, &st) != 0) {
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
        exit(2);
    }

    if (S_ISDIR(st.st_mode)) {
        fuzz_load_folder(path);

    } else {
        fuzz_load_file(path);
    }
}


/* In the order of their names, so that a seed means the same everywhere. */
static void
fuzz_load_folder(const char *path)
{
    int              i, n;
    char             file[PATH_MAX];
    struct dirent  **list;

    n = scandir(path, &list, NULL, alphasort);

    for (i = 0; i < n; i++) {

        if (list[i]->d_name[0] != '.'
            && snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name)
               < (int) sizeof(file))
        {
            fuzz_load_file(file);
        }

        free(list[i]);
    }

    if (n >= 0) {
        free(list);
    }
}


static void
fuzz_load_file(const char *path)
{
    FILE            *in;
    size_t           len;
    static uint8_t   buf[FUZZ_LEN_MAX];

    in = fopen(path, "rb");

    if (in == NULL) {
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
        exit(2);
    }

    len = fread(buf, 1, sizeof(buf), in);
    fclose(in);

    fuzz_keep(buf, len);
}


/* A full pool forgets one, never one of the first half. */
static void
fuzz_keep(const uint8_t *data, size_t len)
{
    fuzz_input_t  *input;

    if (npool < FUZZ_POOL) {
        input = &pool[npool++];

    } else {
        input = &pool[FUZZ_POOL / 2 + fuzz_below(FUZZ_POOL / 2)];
        free(input->data);
    }

    input->data = malloc(len + 1);
    input->len = len;

    if (input->data == NULL) {
        abort();
    }

    memcpy(input->data, data, len);
}


static void
fuzz_child(void)
{
    size_t        i, given;
    uint64_t      n;
    fuzz_input_t  input;

    given = npool;

    for (i = 0; i < given; i++) {
        fuzz_run(&pool[i]);
        (void) fuzz_reached();
    }

    if (npool == 0) {
        fuzz_keep((const uint8_t *) "", 0);
    }

    input.data = malloc(options.max_len);

    if (input.data == NULL) {
        abort();
    }

    for (n = 0; n < options.runs; n++) {
        fuzz_mutate(&input, options.max_len, pool, npool);
        fuzz_run(&input);

        if (fuzz_reached()) {
            fuzz_keep(input.data, input.len);
            shared->kept++;
        }
    }

    free(input.data);

    for (i = 0; i < npool; i++) {
        free(pool[i].data);
    }
}


static void
fuzz_run(const fuzz_input_t *input)
{
    shared->len = input->len;
    memcpy(shared->data, input->data, input->len);

    previous = 0;
    (void) LLVMFuzzerTestOneInput(shared->data, shared->len);
    shared->executions++;
}


/* Did the run pass an edge as often as none before it? */
static bool
fuzz_reached(void)
{
    bool      news;
    uint8_t   class;
    uint32_t  i, at;

    news = false;

    for (i = 0; i < ntouched; i++) {
        at = touched[i];
        class = fuzz_class(hits[at]);
        hits[at] = 0;

        if (!(seen[at] & class)) {
            shared->edges += (seen[at] == 0);
            seen[at] |= class;
            news = true;
        }
    }

    ntouched = 0;

    return news;
}


/* One bit each for 1, 2, 3, 4-7, 8-15, 16-31, 32-127 and more. */
static uint8_t
fuzz_class(uint8_t n)
{
    static const uint8_t  least[] = { 128, 32, 16, 8, 4, 3, 2 };
    unsigned              i;

    for (i = 0; i < sizeof(least); i++) {
        if (n >= least[i]) {
            return (uint8_t) (0x80u >> i);
        }
    }

    return 1;
}


static int
fuzz_watch(pid_t child)
{
    int       status;
    bool      late;
    double    started, since;
    uint64_t  last;

    const struct timespec  nap = { 0, FUZZ_NAPS_NS };

    started = fuzz_now();
    since = fuzz_cpu(child);
    last = 0;
    late = false;

    while (waitpid(child, &status, WNOHANG) == 0) {

        if (shared->executions != last) {
            last = shared->executions;
            since = fuzz_cpu(child);

        } else if (last < npool + options.runs
                   && fuzz_cpu(child) - since > (double) options.timeout)
        {
            late = true;
            (void) kill(child, SIGKILL);
        }

        (void) nanosleep(&nap, NULL);
    }

    return fuzz_tell(status, late, fuzz_now() - started);
}


/* The processor's time, which a busy machine does not lengthen. */
static double
fuzz_cpu(pid_t child)
{
    clockid_t        clock;
    struct timespec  t;

    if (clock_getcpuclockid(child, &clock) != 0
        || clock_gettime(clock, &t) != 0)
    {
        return 0;
    }

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static double
fuzz_now(void)
{
    struct timespec  t;

    (void) clock_gettime(CLOCK_MONOTONIC, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}


static int
fuzz_tell(int status, bool late, double seconds)
{
    bool  all;

    all = shared->executions == npool + options.runs;

    printf("%s: %llu executions, %.1f seconds, %llu edges, %llu kept: %s\n",
           program, (unsigned long long) shared->executions, seconds,
           (unsigned long long) shared->edges,
           (unsigned long long) shared->kept,
           late ? "timeout" : status == 0 && all ? "no finding"
           : all ? "leak" : "crash");

    if (status == 0 && all) {
        return 0;
    }

    if (!all) {
        fuzz_save();
    }

    return 1;
}


static void
fuzz_save(void)
{
    FILE      *out;
    char       path[PATH_MAX];
    size_t     i;
    uint64_t   hash;

    hash = 14695981039346656037u;      /* FNV-1a */

    for (i = 0; i < shared->len; i++) {
        hash = (hash ^ shared->data[i]) * 1099511628211u;
    }

    (void) snprintf(path, sizeof(path), "%s%s-%016llx", options.prefix,
                    program, (unsigned long long) hash);
    out = fopen(path, "wb");

    if (out == NULL) {
        fprintf(stderr, "%s: %s: %s\n", program, path, strerror(errno));
        return;
    }

    (void) fwrite(shared->data, 1, shared->len, out);
    fclose(out);

    printf("%s: the input, %zu bytes, is in %s\n", program, shared->len,
           path);
}
