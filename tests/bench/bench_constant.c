/*
 * bench_constant: what the path costs when nothing is done: the pool of consign-api with a constant answer.
 *
 *   bench_constant SOCKET WORKERS ANSWER      ANSWER: a file, the body of every answer
 *
 * Supervisor, socket, confinement and request reading are the product's; between them a request is copied into an
 * arena as there, checked for nothing, and answered. Never installed. Caller: constant.py.
 *
 * CONSIGN_BENCH_KEEP=1 is the experiment of a kept connection: a worker keeps the connection of its last request and
 * waits for it and for the listening socket at once. Whoever waits at the socket comes first; the kept connection
 * is then served once more if it has something, and dropped. Only requests that nginx may send twice can be let in
 * that way, because nginx may write to a connection just as it is dropped.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/invariant.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "responder/listen.h"
/* the descriptor of a kept connection is libfcgi's, which only this file knows */
#include "responder/request.c" // NOLINT(bugprone-suspicious-include)

#define ANSWER_MOST 65536
#define BODY_MOST 65536
#define ARENA_BYTES (1024u * 1024u)
#define WATCHDOG_S 30
#define GRACE_MS 5000

struct bench {
    int listen_fd;
    bool keep;
    size_t length;
    char answer[ANSWER_MOST];
};

static void bench_read_answer(struct bench *b, const char *path)
{
    static char body[ANSWER_MOST / 2];
    FILE *file = fopen(path, "re");
    INVARIANT(file != NULL);
    size_t bytes = fread(body, 1, sizeof body, file);
    INVARIANT(bytes > 0 && feof(file));
    fclose(file);
    int head = snprintf(b->answer, sizeof b->answer,
                        "Status: 200 OK\r\nX-Request-Id: bench\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        bytes);
    INVARIANT(head > 0 && (size_t)head + bytes < sizeof b->answer);
    memcpy(b->answer + head, body, bytes);
    b->length = (size_t)head + bytes;
}

/* Takes a request and answers it. False: there was none. */
static bool bench_serve(const struct bench *b, struct request_listener *l, struct arena *a)
{
    alarm(WATCHDOG_S);
    bool taken = request_accept(l) == REQUEST_ACCEPTED;
    if (taken) {
        arena_reset(a);
        struct request *r = arena_alloc(a, sizeof *r);
        const char *body;
        size_t length;
        if (r == NULL || request_copy(l, a, r) != FAULT_NONE ||
            request_read_body(l, r, BODY_MOST, &body, &length) != FAULT_NONE)
            request_drop(l);
        else
            request_answer(l, b->answer, b->length);
    }
    alarm(0);
    return taken;
}

static void bench_once(const struct bench *b, struct arena *a)
{
    struct request_listener *l = request_listener_new(b->listen_fd);
    INVARIANT(l != NULL);
    while (!pool_worker_retiring()) {
        if (pool_worker_wait(b->listen_fd, -1))
            bench_serve(b, l, a);
    }
    request_listener_free(l);
}

static bool bench_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return fd >= 0 && poll(&p, 1, 0) > 0;
}

/* Waits for the socket or the kept connection (-1: none), with signals let through. True: the socket is ready. */
static bool bench_wait_both(int listen_fd, int kept_fd)
{
    struct pollfd p[2] = {{.fd = listen_fd, .events = POLLIN}, {.fd = kept_fd, .events = POLLIN}};
    sigset_t open;
    sigemptyset(&open);
    return ppoll(p, 2, NULL, &open) > 0 && p[0].revents != 0;
}

static void bench_keep(const struct bench *b, struct arena *a)
{
    struct request_listener *kept = request_listener_new(b->listen_fd), *fresh = request_listener_new(b->listen_fd);
    INVARIANT(kept != NULL && fresh != NULL);
    while (!pool_worker_retiring()) {
        bool others = bench_wait_both(b->listen_fd, kept->fcgi.ipcFd);
        if (others && bench_serve(b, fresh, a)) {
            if (bench_readable(kept->fcgi.ipcFd))
                bench_serve(b, kept, a);
            FCGX_Free(&kept->fcgi, 1);
            struct request_listener *swap = kept;
            kept = fresh;
            fresh = swap;
        } else if (bench_readable(kept->fcgi.ipcFd)) {
            bench_serve(b, kept, a);
        }
    }
    request_listener_free(kept);
    request_listener_free(fresh);
}

static int bench_live(int slot, void *arg)
{
    const struct bench *b = arg;
    (void)slot;
    struct arena *a = arena_new(ARENA_BYTES);
    if (a == NULL || confine_process(CONFINE_ACCEPT) != FAULT_NONE)
        return 1;
    if (b->keep)
        bench_keep(b, a);
    else
        bench_once(b, a);
    arena_free(a);
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench b;
    const char *keep = getenv("CONSIGN_BENCH_KEEP");
    struct listen listen;
    if (argc != 4) {
        fprintf(stderr, "usage: bench_constant SOCKET WORKERS ANSWER\n");
        return 2;
    }
    log_open("bench", LOG_INFO);
    bench_read_answer(&b, argv[3]);
    if (!listen_open(&listen, argv[1]))
        return 1;
    b.listen_fd = listen.socket;
    b.keep = keep != NULL && strcmp(keep, "1") == 0;
    struct pool_options pool = {.workers = atoi(argv[2]), .grace_ms = GRACE_MS, .work = bench_live, .arg = &b};
    return pool_run(&pool);
}
