/*
 * bench_constant: what the path costs when nothing is done: the pool of consign-api with a constant answer.
 *
 *   bench_constant SOCKET WORKERS ANSWER      ANSWER: a file, the body of every answer
 *
 * Supervisor, socket, confinement, turns and request reading are the product's; between them a request is copied into an
 * arena as there, checked for nothing, and answered. Never installed. Caller: constant.py.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/invariant.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "responder/listen.h"
#include "responder/turn.h"

#define ANSWER_MOST 65536
#define BODY_MOST 65536
#define ARENA_BYTES (1024u * 1024u)
#define WATCHDOG_S 30
#define GRACE_MS 5000
#define LOOK_MS 1000

struct bench {
    int listen_fd;
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

static void bench_answer(const struct bench *b, struct request_listener *l, struct arena *a)
{
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

static void bench_loop(const struct bench *b, struct turn *turn, struct arena *a)
{
    while (turn->told || !pool_worker_retiring()) {
        alarm(WATCHDOG_S);
        enum request_accept accepted = turn_take(turn);
        if (accepted == REQUEST_ACCEPTED)
            bench_answer(b, turn->listener, a);
        alarm(0);
        if (accepted == REQUEST_NOTHING)
            turn_wait(turn, LOOK_MS);
    }
}

static int bench_live(int slot, void *arg)
{
    const struct bench *b = arg;
    (void)slot;
    struct arena *a = arena_new(ARENA_BYTES);
    struct turn turn = {.listener = request_listener_new(b->listen_fd)};
    if (a == NULL || turn.listener == NULL || !pool_worker_share(&turn.share, b->listen_fd) ||
        confine_process(CONFINE_ACCEPT) != FAULT_NONE)
        return 1;
    bench_loop(b, &turn, a);
    request_listener_free(turn.listener);
    arena_free(a);
    return 0;
}

int main(int argc, char **argv)
{
    static struct bench b;
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
    struct pool_options pool = {.workers = atoi(argv[2]), .grace_ms = GRACE_MS, .work = bench_live, .arg = &b};
    return pool_run(&pool);
}
