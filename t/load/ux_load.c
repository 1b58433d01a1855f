
/*
 * Copyright (C) the nginx-ux authors
 *
 * Many shoppers at once, on one thread, against 127.0.0.1: requests on
 * connections that are kept and on fresh ones, each shopper with its cookie.
 * What it counts are acknowledged requests: those whose answer came whole,
 * with a status of 2xx or 3xx.  Prints JSON at the end.
 *
 *     ux_load --port=8080 --requests=100000 --clients=32
 *
 * What is lost on the way is done again on a fresh connection, and counted:
 * an answer that did not come may have been counted by the server.
 */

#include "answer.h"
#include "options.h"
#include "shopper.h"
#include "tally.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define REQUEST        2048
#define PATIENCE_US    30000000
#define AGAIN_US       20000    /* after a refused connection */

typedef enum {
    CLIENT_PARKED = 0,          /* nothing to do until there is more */
    CLIENT_WAITING,             /* for another try to connect */
    CLIENT_SENDING,             /* connecting included */
    CLIENT_READING
} client_state_e;

typedef struct {
    int             fd;         /* -1: none */
    bool            used;       /* the connection has carried an answer */
    bool            fresh;      /* it is to be closed behind this answer */
    client_state_e  state;
    uint64_t        began_us;
    size_t          sent, length;
    shopper_t       shopper;
    answer_t        answer;
    char            request[REQUEST];
} client_t;

static void run(void);
static void start_all(void);
static bool wanted(const client_t *c);
static void next_request(client_t *c);
static void new_shopper(client_t *c);
static void connect_client(client_t *c);
static void client_event(client_t *c, uint32_t events);
static void send_request(client_t *c);
static void read_answer(client_t *c);
static void answered(client_t *c);
static void lost(client_t *c, uint64_t *count);
static void disconnect(client_t *c);
static void watch(client_t *c, uint32_t events, int operation);
static void look_after(uint64_t now);
static void gate_read(void);
static void gate_line(char *line);
static bool finished(uint64_t now);
static uint64_t clock_us(void);
static void die(const char *what);


static options_t  options;
static tally_t    counts;
static client_t   clients[OPTIONS_CLIENTS];
static uint64_t   seed, limit, began_us;
static unsigned   busy;
static int        poller;


int
main(int argc, char **argv)
{
    uint64_t  ended;

    options_read(&options, argc, argv);
    seed = options.seed;
    limit = options.gated ? 0 : options.requests;

    (void) signal(SIGPIPE, SIG_IGN);
    (void) setvbuf(stdout, NULL, _IOLBF, 0);

    poller = epoll_create1(0);
    if (poller == -1) {
        die("epoll_create1");
    }

    began_us = clock_us();
    run();
    ended = clock_us();

    tally_print(&counts, (double) (ended - began_us) / 1e6);

    return 0;
}


static void
run(void)
{
    int                  n, i;
    uint64_t             now, looked = 0;
    struct epoll_event   events[256], gate = { .events = EPOLLIN };
    client_t            *c;

    if (options.gated) {
        if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) == -1
            || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &gate) == -1)
        {
            die("standard input");
        }
    }

    for (i = 0; i < (int) options.clients; i++) {
        clients[i].fd = -1;
        new_shopper(&clients[i]);
    }

    start_all();

    for ( ;; ) {
        now = clock_us();

        if (finished(now)) {
            return;
        }

        if (now - looked > AGAIN_US) {
            look_after(now);
            looked = now;
        }

        n = epoll_wait(poller, events, 256, AGAIN_US / 1000);
        if (n == -1 && errno != EINTR) {
            die("epoll_wait");
        }

        for (i = 0; i < n; i++) {
            c = events[i].data.ptr;

            if (c != NULL) {
                client_event(c, events[i].events);

            } else {
                gate_read();
            }
        }
    }
}


static void
start_all(void)
{
    for (unsigned i = 0; i < options.clients; i++) {
        if (clients[i].state == CLIENT_PARKED && wanted(&clients[i])) {
            next_request(&clients[i]);
        }
    }
}


/*
 * At the end a shopper without an answer to its cookie goes on until it has
 * one: the server counts nobody before.
 */
static bool
wanted(const client_t *c)
{
    if (options.gated && limit == 0) {
        return false;
    }

    return counts.total + busy < limit
           || (limit >= options.requests && c->shopper.answered > 0
               && !c->shopper.confirmed && c->shopper.cookie[0] != '\0');
}


static void
next_request(client_t *c)
{
    int   n;
    char  path[512];

    shopper_path(&c->shopper, path, sizeof(path), options.paths,
                 options.query);

    c->fresh = chance(&seed) % 100 < options.fresh;

    n = snprintf(c->request, REQUEST,
                 "GET %s HTTP/1.1\r\nHost: localhost\r\n"
                 "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) "
                 "Gecko/20100101 Firefox/115.0\r\n"
                 "Accept: text/html,application/xhtml+xml\r\n%s%s%s%s%s\r\n",
                 path, options.headers,
                 c->shopper.cookie[0] != '\0' ? "Cookie: " : "",
                 c->shopper.cookie,
                 c->shopper.cookie[0] != '\0' ? "\r\n" : "",
                 c->fresh ? "Connection: close\r\n" : "");

    if (n < 0 || n >= REQUEST) {
        die("a request too long");
    }

    c->length = (size_t) n;
    c->sent = 0;
    c->began_us = clock_us();
    answer_init(&c->answer);

    if (c->state == CLIENT_PARKED) {
        busy++;
    }

    c->state = CLIENT_SENDING;

    if (c->fd == -1) {
        connect_client(c);

    } else {
        send_request(c);
    }
}


static void
new_shopper(client_t *c)
{
    shopper_init(&c->shopper, chance(&seed));
    counts.shoppers++;
}


static void
connect_client(client_t *c)
{
    int                 one = 1;
    struct sockaddr_in  address = { .sin_family = AF_INET,
                                    .sin_port = htons(options.port),
                                    .sin_addr.s_addr = htonl(
                                        INADDR_LOOPBACK) };

    c->fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (c->fd == -1) {
        die("socket");
    }

    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    c->used = false;
    counts.connections++;

    if (connect(c->fd, (struct sockaddr *) &address, sizeof(address)) == -1
        && errno != EINPROGRESS)
    {
        lost(c, &counts.not_connected);
        return;
    }

    watch(c, EPOLLOUT, EPOLL_CTL_ADD);
}


static void
client_event(client_t *c, uint32_t events)
{
    int        error = 0;
    socklen_t  size = sizeof(error);

    if (c->fd == -1) {
        return;
    }

    switch (c->state) {
    case CLIENT_SENDING:
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1
            || error != 0)
        {
            lost(c, error == ECONNREFUSED ? &counts.not_connected
                                          : &counts.cut);
            return;
        }

        send_request(c);
        break;

    case CLIENT_READING:
        read_answer(c);
        break;

    default:
        if (events & (EPOLLIN|EPOLLHUP|EPOLLERR|EPOLLRDHUP)) {
            /* the server closes a connection that is idle */
            disconnect(c);
        }
        break;
    }
}


static void
send_request(client_t *c)
{
    ssize_t  n;

    n = send(c->fd, c->request + c->sent, c->length - c->sent, MSG_NOSIGNAL);

    if (n == -1 && errno != EAGAIN) {
        lost(c, c->used ? &counts.closed : &counts.cut);
        return;
    }

    if (n > 0) {
        c->sent += (size_t) n;
    }

    if (c->sent < c->length) {
        watch(c, EPOLLOUT, EPOLL_CTL_MOD);
        return;
    }

    c->state = CLIENT_READING;
    watch(c, EPOLLIN|EPOLLRDHUP, EPOLL_CTL_MOD);
}


static void
read_answer(client_t *c)
{
    ssize_t         n;
    answer_state_e  state;

    static char  buffer[65536];

    n = recv(c->fd, buffer, sizeof(buffer), 0);

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    state = n > 0 ? answer_read(&c->answer, buffer, (size_t) n)
                  : n == 0 ? answer_closed(&c->answer) : ANSWER_BROKEN;

    switch (state) {
    case ANSWER_MORE:
        return;

    case ANSWER_BROKEN:
        lost(c, c->used && c->answer.used == 0 ? &counts.closed
                                               : &counts.cut);
        return;

    default:
        answered(c);
    }
}


static void
answered(client_t *c)
{
    int         status = c->answer.status;
    step_e      step = c->shopper.step;
    bool        confirmed = c->shopper.confirmed;

    counts.status[status / 100]++;
    tally_latency(&counts, clock_us() - c->began_us);
    counts.total++;
    busy--;

    if (status < 400) {
        counts.answered[step]++;
        counts.worth += step == STEP_PURCHASE ? c->shopper.worth : 0;

    } else {
        counts.refused[step]++;
    }

    if (!shopper_answered(&c->shopper, &c->answer)) {
        counts.changed++;
    }

    if (c->shopper.confirmed && !confirmed) {
        counts.confirmed++;
    }

    if (options.visits != 0 && c->shopper.answered >= options.visits) {
        new_shopper(c);
    }

    c->used = true;

    if (c->fresh || c->answer.close
        || c->answer.body == BODY_UNTIL_CLOSE)
    {
        disconnect(c);
    }

    if (options.progress != 0 && counts.total % options.progress == 0) {
        (void) printf("at %" PRIu64 "\n", counts.total);
    }

    c->state = CLIENT_PARKED;

    if (wanted(c)) {
        next_request(c);

    } else if (options.gated && busy == 0 && counts.total >= limit) {
        (void) printf("reached %" PRIu64 "\n", counts.total);
    }
}


/* Once more, as a new request. */

static void
lost(client_t *c, uint64_t *count)
{
    (*count)++;
    disconnect(c);

    if (count == &counts.not_connected) {
        c->state = CLIENT_WAITING;
        return;
    }

    next_request(c);
}


static void
disconnect(client_t *c)
{
    if (c->fd != -1) {
        (void) close(c->fd);
        c->fd = -1;
    }
}


static void
watch(client_t *c, uint32_t events, int operation)
{
    struct epoll_event  event = { .events = events, .data.ptr = c };

    if (epoll_ctl(poller, operation, c->fd, &event) == -1) {
        die("epoll_ctl");
    }
}


static void
look_after(uint64_t now)
{
    client_t  *c;

    for (unsigned i = 0; i < options.clients; i++) {
        c = &clients[i];

        if (c->state == CLIENT_WAITING) {
            next_request(c);

        } else if (c->state != CLIENT_PARKED
                   && now - c->began_us > PATIENCE_US)
        {
            lost(c, &counts.timeouts);
        }
    }
}


static void
gate_read(void)
{
    ssize_t        n;
    char          *line, *end;
    static char    buffer[256];
    static size_t  used;

    n = read(STDIN_FILENO, buffer + used, sizeof(buffer) - 1 - used);

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        die("the standard input ended");
    }

    used += (size_t) n;
    buffer[used] = '\0';
    line = buffer;

    for ( ;; ) {
        end = strchr(line, '\n');
        if (end == NULL) {
            break;
        }

        *end = '\0';
        gate_line(line);
        line = end + 1;
    }

    used = strlen(line);
    memmove(buffer, line, used);
}


static void
gate_line(char *line)
{
    if (strcmp(line, "close") == 0) {
        for (unsigned i = 0; i < options.clients; i++) {
            if (clients[i].state == CLIENT_PARKED) {
                disconnect(&clients[i]);
            }
        }

        (void) puts("closed");

    } else if (strncmp(line, "to ", 3) == 0) {
        limit = options_number(line + 3);
        start_all();

        if (busy == 0 && counts.total >= limit) {
            (void) printf("reached %" PRIu64 "\n", counts.total);
        }

    } else {
        die(line);
    }
}


static bool
finished(uint64_t now)
{
    if (options.seconds != 0
        && now - began_us > options.seconds * 1000000)
    {
        options.requests = 0;
        limit = 0;
        options.seconds = 0;
    }

    return busy == 0 && limit >= options.requests && counts.total >= limit;
}


static uint64_t
clock_us(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}


static void
die(const char *what)
{
    (void) fprintf(stderr, "ux_load: %s: %s\n", what, strerror(errno));
    exit(1);
}
