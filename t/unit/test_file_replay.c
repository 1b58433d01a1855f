
/*
 * Copyright (C) the nginx-ux authors
 *
 * The power fails during a save.  What saves do to the disk is recorded, and
 * what it may hold afterwards is made and loaded, for every moment: of all
 * that was not yet synced anything may be there or not, in any order, and a
 * file may lack any of its blocks of 512 bytes.
 *
 *   data      of a file is certain once that was synced; until then it is cut
 *             short, or zero, from or up to any block, or anywhere
 *   names     are certain once the directory was synced; until then each
 *             creation, removal and renaming has happened or has not,
 *             whatever was done before and after it
 *
 * Whatever is loaded must be, byte for byte, a version that was saved: the
 * last one whose save had ended, or a later one.  The same with saves in
 * which one call fails.
 *
 * TEST_UX_REPLAY_ALL=1: all places of damage also where a call fails.
 */

#include "store_case.h"

#include "ux_file.h"
#include "ux_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>


#define BLOCK     512u
#define FILES     32u                /* inodes of one trace */
#define OPS       256u
#define NAMES     6u
#define PENDING   16u
#define VERSIONS  6u


typedef enum {
    OP_BEGIN,                        /* a save: kind, version */
    OP_DONE,                         /* it said UX_OK */
    OP_CREATE,
    OP_WRITE,
    OP_SYNC,
    OP_RENAME,
    OP_UNLINK,
    OP_SYNC_DIRECTORY
} op_e;


typedef struct {
    op_e      op;
    unsigned  kind;
    unsigned  version;
    unsigned  name;                  /* where it goes */
    unsigned  from;
    int       file;
    size_t    len;                   /* that are written */
} op_t;


typedef struct {
    uint8_t  *data;
    size_t    len;
} image_t;


/* What the disk holds: by name a file, or -1. */
typedef struct {
    int  names[NAMES];
} dir_t;


/* A moment of the trace. */
typedef struct {
    dir_t        dir;                /* that is certain */
    unsigned     npending;
    const op_t  *pending[PENDING];   /* names that are not, in order */
    size_t       len[FILES];
    size_t       synced[FILES];
    unsigned     first[UX_FILE_KINDS];         /* version of the last save
                                                  that had ended */
    unsigned     last[UX_FILE_KINDS];          /* or begun */
} moment_t;


static const char *const  suffixes[NAMES] = {
    ".counters.new", ".counters", ".counters.1",
    ".visitors.new", ".visitors", ".visitors.1"
};

static char             directory[64];
static ux_file_zone_t   zone;
static uint8_t          uuid[16];
static image_t          images[UX_FILE_KINDS][VERSIONS + 1];
static ux_image_work_t  work;

static op_t             trace[OPS];
static unsigned         nops;
static image_t          files[FILES];
static int              nfiles;

/* while recording */
static bool             recording;
static int              calls_left = -1;       /* until one fails */
static int              of_fd[1024];           /* file + 1; -1: directory */
static dir_t            now;

static uint64_t         states, torn;

/* while replaying: whose bytes, all of them, stand under the name; or -1 */
static int              stands[NAMES];


static op_t *
record(op_e op)
{
    if (nops == OPS) {
        printf("Bail out! the trace is too long\n");
        exit(1);
    }

    memset(&trace[nops], 0, sizeof(op_t));
    trace[nops].op = op;

    return &trace[nops++];
}


/* One that fails has not happened. */
static bool
fails(void)
{
    if (!recording || calls_left < 0 || calls_left-- > 0) {
        return false;
    }

    errno = EIO;

    return true;
}


static unsigned
name_of(const char *path)
{
    size_t    len, n;
    unsigned  i;

    len = strlen(path);

    for (i = 0; i < NAMES; i++) {
        n = strlen(suffixes[i]);

        if (len > n && strcmp(path + len - n, suffixes[i]) == 0) {
            return i;
        }
    }

    return NAMES;
}


static int
opened(const char *path, int flags)
{
    int       fd;
    op_t     *op;
    unsigned  name;

    if (fails()) {
        return -1;
    }

    fd = (int) syscall(SYS_openat, AT_FDCWD, path, flags, 0600);

    if (!recording || fd < 0 || fd >= 1024) {
        return fd;
    }

    name = name_of(path);
    of_fd[fd] = strcmp(path, directory) == 0 ? -1 : 0;

    if (name < NAMES && flags & O_CREAT) {
        files[nfiles].data = malloc(1 << 20);
        files[nfiles].len = 0;

        op = record(OP_CREATE);
        op->name = name;
        op->file = nfiles;

        now.names[name] = nfiles++;
        of_fd[fd] = nfiles;
    }

    return fd;
}


int
open(const char *path, int flags, ...)
{
    return opened(path, flags);
}


int
open64(const char *path, int flags, ...)
{
    return opened(path, flags);
}


static int
file_of(int fd)
{
    return recording && fd >= 0 && fd < 1024 ? of_fd[fd] : 0;
}


ssize_t
write(int fd, const void *buf, size_t len)
{
    op_t     *op;
    image_t  *file;

    if (file_of(fd) <= 0) {
        return syscall(SYS_write, fd, buf, len);
    }

    if (fails()) {
        return -1;
    }

    /* in several pieces, the last of which may be missing */

    len = len > 3000 ? 3000 : len;

    file = &files[file_of(fd) - 1];
    memcpy(file->data + file->len, buf, len);
    file->len += len;

    op = record(OP_WRITE);
    op->file = file_of(fd) - 1;
    op->len = file->len;

    return syscall(SYS_write, fd, buf, len);
}


int
fsync(int fd)
{
    op_t  *op;

    if (fails()) {
        return -1;
    }

    if (file_of(fd) != 0) {
        op = record(file_of(fd) == -1 ? OP_SYNC_DIRECTORY : OP_SYNC);
        op->file = file_of(fd) - 1;
    }

    return 0;
}


int
close(int fd)
{
    long  rc;
    bool  bad;

    bad = file_of(fd) > 0 && fails();

    if (recording && fd >= 0 && fd < 1024) {
        of_fd[fd] = 0;
    }

    rc = syscall(SYS_close, fd);

    return bad ? -1 : (int) rc;
}


int
rename(const char *from, const char *to)
{
    op_t  *op;
    int    rc;

    if (fails()) {
        return -1;
    }

    rc = (int) syscall(SYS_rename, from, to);

    if (recording && rc == 0) {
        op = record(OP_RENAME);
        op->from = name_of(from);
        op->name = name_of(to);
        op->file = now.names[op->from];

        now.names[op->from] = -1;
        now.names[op->name] = op->file;
    }

    return rc;
}


int
unlink(const char *path)
{
    int  rc;

    if (fails()) {
        return -1;
    }

    rc = (int) syscall(SYS_unlink, path);

    if (recording && rc == 0) {
        record(OP_UNLINK)->name = name_of(path);
        now.names[name_of(path)] = -1;
    }

    return rc;
}


static void
note_torn(void)
{
    printf("# %llu damaged files were read, and refused\n",
           (unsigned long long) torn);
}


static void
dir_clear(dir_t *dir)
{
    unsigned  i;

    for (i = 0; i < NAMES; i++) {
        dir->names[i] = -1;
    }
}


static const char *
path_of(unsigned name)
{
    static char  path[160];

    (void) snprintf(path, sizeof(path), "%s/shop.%032d%s", directory, 0,
                    suffixes[name]);

    return path;
}


/* A zone that counts on; each version has visitors the one before has not. */
static void
make_images(void)
{
    void             *mem;
    size_t            size;
    worker_t         *w;
    unsigned          v, i, kind;
    uint64_t          id;
    ux_key_t          key;
    ux_turn_t         turn;
    ux_visitor_t      visitor;
    ux_str_t          euro = ux_str("EUR");
    ux_image_zone_t   names;
    ux_table_effects_t  effects;

    mem = zone_make(MIB);
    w = worker_make(mem, MIB, 2);

    memset(&names, 0, sizeof(names));
    names.name = zone.zone;
    names.currency = euro;

    if (ux_store_join(&w->store) != UX_OK || worker_bind(w) != UX_OK) {
        printf("Bail out! no zone\n");
        exit(1);
    }

    memset(w->store.head->uuid, 0, sizeof(uuid));

    for (v = 1; v <= VERSIONS; v++) {

        for (i = 0; i < 40; i++) {
            id = ux_hash64(&(uint64_t) { v * 1000 + i }, 8);
            key = ux_hash_key_of(id);

            if (ux_table_open(&w->store.table, key, 1000 + v, &visitor, &turn)
                == UX_OK)
            {
                visitor.confirmed = true;
                (void) ux_table_commit(&w->store.table, &turn, &visitor,
                                       1000 + v, &effects);
            }
        }

        ux_counter_add(&w->store.counter, UX_ZONE_EVENTS, 1);

        for (kind = 0; kind < UX_FILE_KINDS; kind++) {
            size = ux_image_size(&w->store, kind == UX_FILE_VISITORS
                                            ? UX_IMAGE_VISITORS
                                            : UX_IMAGE_COUNTERS);
            images[kind][v].data = malloc(size);

            ok(ux_image_write(&w->store, kind == UX_FILE_VISITORS
                              ? UX_IMAGE_VISITORS : UX_IMAGE_COUNTERS, &names,
                              (1000 + v) * 1000ull, images[kind][v].data, size,
                              &images[kind][v].len) == UX_OK,
               "version %u, kind %u: %zu bytes", v, kind,
               images[kind][v].len);
        }
    }

    worker_free(w);
}


static bool
save(unsigned kind, unsigned version)
{
    op_t            *op;
    ux_error_t       why;
    ux_status_t      rc;
    ux_file_name_t   name;

    memcpy(name.uuid, uuid, sizeof(uuid));
    name.kind = (ux_file_kind_e) kind;
    name.previous = false;

    op = record(OP_BEGIN);
    op->kind = kind;
    op->version = version;

    rc = ux_file_save(&zone, &name, images[kind][version].data,
                      images[kind][version].len, &why);

    if (rc == UX_OK) {
        op = record(OP_DONE);
        op->kind = kind;
        op->version = version;
    }

    return rc == UX_OK;
}


/*
 * As a start does it: of each kind the newest that is whole.  0: there is
 * none; VERSIONS + 1: one that was never saved.
 */
static unsigned
load(unsigned kind)
{
    size_t            len;
    uint8_t          *data;
    unsigned          i, v;
    ux_error_t        why;
    ux_status_t       rc;
    ux_file_name_t    name;
    ux_image_info_t   info;

    memcpy(name.uuid, uuid, sizeof(uuid));
    name.kind = (ux_file_kind_e) kind;

    for (i = 0; i < 2; i++) {
        name.previous = i == 1;

        if (ux_file_load(&zone, &name, 1 << 24, &data, &len, &why) != UX_OK) {
            continue;
        }

        rc = ux_image_info(data, len, &info, &why);

        if (rc == UX_OK) {
            rc = ux_image_check(data, len, &work, &why);
        }

        if (rc != UX_OK) {
            torn++;
            free(data);
            continue;
        }

        for (v = 1; v <= VERSIONS; v++) {
            if (len == images[kind][v].len
                && memcmp(data, images[kind][v].data, len) == 0)
            {
                break;
            }
        }

        free(data);

        return v;
    }

    return 0;
}


static void
put(unsigned name, const uint8_t *data, size_t len)
{
    int  fd;

    (void) syscall(SYS_unlink, path_of(name));
    fd = (int) syscall(SYS_openat, AT_FDCWD, path_of(name),
                       O_WRONLY|O_CREAT|O_EXCL, 0600);

    if (fd == -1
        || (len > 0
            && syscall(SYS_write, fd, data, len) != (long) len))
    {
        printf("Bail out! cannot write %s\n", path_of(name));
        exit(1);
    }

    (void) syscall(SYS_close, fd);
}


/*
 * What the disk has of a file of `len` bytes of which the first `synced` are
 * certain, by the number of the damage: four kinds at each block, and at the
 * end some of each block by chance.
 */
static size_t
damaged(uint8_t *to, const image_t *file, size_t len, size_t synced,
    unsigned damage)
{
    size_t    at;
    unsigned  block, blocks;

    blocks = (unsigned) (len / BLOCK + 1);
    memcpy(to, file->data, len);

    block = damage % blocks;
    at = (size_t) block * BLOCK;

    switch (damage / blocks) {

    case 0:                          /* cut short */
        return at < synced ? synced : at;

    case 1:                          /* its size came first */
        memset(to + at, 0, len - at);
        break;

    case 2:                          /* the last blocks came first */
        memset(to, 0, at);
        break;

    case 3:                          /* one is missing */
        memset(to + at, 0, at + BLOCK < len ? BLOCK : len - at);
        break;

    default:
        for (at = 0; at < len; at += BLOCK) {
            if (ux_hash64(&(uint64_t) { damage * 4096ull + at }, 8) & 1) {
                memset(to + at, 0, at + BLOCK < len ? BLOCK : len - at);
            }
        }
    }

    memcpy(to, file->data, synced);

    return len;
}


static unsigned
damages_of(size_t len)
{
    return 4 * (unsigned) (len / BLOCK + 1) + 16;
}


/* Names as after the call. */
static void
apply(dir_t *dir, const op_t *op)
{
    switch (op->op) {

    case OP_RENAME:
        dir->names[op->from] = -1;
        /* fall through */

    case OP_CREATE:
        dir->names[op->name] = op->file;
        break;

    case OP_UNLINK:
        dir->names[op->name] = -1;
        break;

    default:
        break;
    }
}


/* The moment after so many calls: what is certain, what is not. */
static void
moment_of(unsigned n, moment_t *m)
{
    unsigned     i, k;
    const op_t  *op;

    memset(m, 0, sizeof(moment_t));
    dir_clear(&m->dir);

    for (i = 0; i < n; i++) {
        op = &trace[i];

        switch (op->op) {

        case OP_BEGIN:
            m->last[op->kind] = op->version;
            break;

        case OP_DONE:
            m->first[op->kind] = op->version;
            break;

        case OP_WRITE:
            m->len[op->file] = op->len;
            break;

        case OP_SYNC:
            m->synced[op->file] = m->len[op->file];
            break;

        case OP_SYNC_DIRECTORY:
            for (k = 0; k < m->npending; k++) {
                apply(&m->dir, m->pending[k]);
            }

            m->npending = 0;
            break;

        default:
            if (m->npending == PENDING) {
                printf("Bail out! too many names\n");
                exit(1);
            }

            m->pending[m->npending++] = op;
        }
    }
}


/* Makes what the disk has. */
static void
put_all(const moment_t *m, const dir_t *dir, unsigned damage)
{
    int              file;
    size_t           len;
    unsigned         i;
    static uint8_t   data[1 << 20];

    for (i = 0; i < NAMES; i++) {
        file = dir->names[i];

        if (file == -1) {
            (void) syscall(SYS_unlink, path_of(i));
            stands[i] = -1;
            continue;
        }

        if (m->synced[file] == m->len[file]) {

            if (stands[i] != file) {
                put(i, files[file].data, m->len[file]);
                stands[i] = file;
            }

            continue;
        }

        stands[i] = -1;

        len = damaged(data, &files[file], m->len[file], m->synced[file],
                      damage);
        put(i, data, len);
    }
}


static bool
judge(const moment_t *m, unsigned n, unsigned mask, unsigned damage)
{
    bool      good;
    unsigned  kind, v;

    good = true;
    states++;

    for (kind = 0; kind < UX_FILE_KINDS; kind++) {
        v = load(kind);

        if (v < m->first[kind] || v > m->last[kind]) {
            printf("# after %u calls, names %x, damage %u: kind %u is %u, "
                   "not %u to %u\n", n, mask, damage, kind, v, m->first[kind],
                   m->last[kind]);
            good = false;
        }
    }

    return good;
}


/* Every state of every moment; false at the first that is wrong. */
static bool
replay(unsigned step)
{
    dir_t       dir;
    size_t      uncertain;
    unsigned    n, k, mask, damage;
    moment_t    m;

    for (k = 0; k < NAMES; k++) {
        stands[k] = -1;
    }

    for (n = 0; n <= nops; n++) {
        moment_of(n, &m);

        for (mask = 0; mask < 1u << m.npending; mask++) {
            dir = m.dir;

            for (k = 0; k < m.npending; k++) {
                if (mask & 1u << k) {
                    apply(&dir, m.pending[k]);
                }
            }

            uncertain = 0;

            for (k = 0; k < NAMES; k++) {
                if (dir.names[k] != -1
                    && m.len[dir.names[k]] > m.synced[dir.names[k]])
                {
                    uncertain = m.len[dir.names[k]];
                }
            }

            for (damage = 0;
                 damage < (uncertain != 0 ? damages_of(uncertain) : 1);
                 damage += step)
            {
                put_all(&m, &dir, damage);

                if (!judge(&m, n, mask, damage)) {
                    return false;
                }
            }
        }
    }

    return true;
}


/* An empty directory, and nothing recorded. */
static void
begin(void)
{
    unsigned  i;

    for (i = 0; i < NAMES; i++) {
        (void) syscall(SYS_unlink, path_of(i));
    }

    while (nfiles > 0) {
        free(files[--nfiles].data);
    }

    nops = 0;
    dir_clear(&now);
    calls_left = -1;
    recording = true;
}


static void
test_saves(void)
{
    bool      good;
    unsigned  v;

    begin();

    for (v = 1, good = true; v <= VERSIONS; v++) {
        good = save(UX_FILE_VISITORS, v) && good;
        good = save(UX_FILE_COUNTERS, v) && good;
    }

    recording = false;
    ok(good, "%u saves: %u calls", 2 * VERSIONS, nops);

    states = 0;
    torn = 0;
    good = replay(1);
    ok(good && nops >= 2 * VERSIONS * 7, "%llu states the disk may have been "
       "left in: old or new, whole", (unsigned long long) states);
}


/* The disk said that a file was synced, and it was not: the one before. */
static void
test_lies(void)
{
    bool      good;
    int       file;
    unsigned  kind, damage, i;
    moment_t  m;

    good = true;
    states = 0;
    torn = 0;

    for (kind = 0; kind < UX_FILE_KINDS; kind++) {
        moment_of(nops, &m);
        file = m.dir.names[kind * 3 + 1];
        m.synced[file] = 0;
        m.first[kind]--;

        for (i = 0; i < NAMES; i++) {
            stands[i] = -1;
        }

        for (damage = 0; damage < damages_of(m.len[file]); damage++) {
            put_all(&m, &m.dir, damage);
            good = judge(&m, nops, 0, damage) && good;
        }
    }

    ok(good && torn > 100, "%llu states of a disk that lies: the one before, "
       "or whole", (unsigned long long) states);
    note_torn();
}


/* The n-th call of a save fails, for every n; then all is well again. */
static void
test_failing(unsigned kind, unsigned step)
{
    bool      good, failed;
    unsigned  n;

    states = 0;
    torn = 0;
    good = true;

    for (n = 0, failed = true; n < 100 && failed && good; n++) {
        begin();
        (void) save(UX_FILE_VISITORS, 1);
        (void) save(UX_FILE_COUNTERS, 1);
        (void) save(kind, 2);
        calls_left = (int) n;
        (void) save(kind, 3);
        failed = calls_left < 0;
        calls_left = -1;
        (void) save(kind, 4);
        recording = false;

        good = replay(step);
    }

    ok(good && n > 8 && n < 100, "each of %u calls fails: %llu states: old or "
       "new, whole", n - 1, (unsigned long long) states);
}


int
main(void)
{
    bool      all;
    ux_str_t  shop = ux_str("shop");

    all = tap_count("TEST_UX_REPLAY_ALL", 0) != 0;

    (void) snprintf(directory, sizeof(directory), "/tmp/ux-replay-XXXXXX");

    if (mkdtemp(directory) == NULL) {
        return 1;
    }

    zone.directory = directory;
    zone.zone = shop;
    zone.owner = (uint32_t) geteuid();

    make_images();
    test_saves();
    test_lies();
    test_failing(UX_FILE_COUNTERS, all ? 1 : 11);
    test_failing(UX_FILE_VISITORS, all ? 1 : 11);

    begin();
    recording = false;
    (void) rmdir(directory);

    return done();
}
