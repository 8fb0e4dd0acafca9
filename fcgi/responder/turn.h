/*
 * turn: whose request a worker takes next: one of a connection that nginx keeps, or the first at the pool's socket.
 *
 * A kept connection saves nginx and the worker the making of one, and must not pin the worker (facts.md): while one is
 * kept the worker waits for it and for the socket at once, and whoever comes by the socket takes its place, also when both
 * come at once: of who comes by the socket one worker alone is told. None is kept while others wait there, so in a pool
 * that is full each request has a connection of its own (request_answer()). nginx may write to a connection just as it is
 * dropped and then sends the request again, so only what may be sent twice, GET and HEAD, comes by kept ones
 * (nginx/consign.conf, request.c).
 */
#ifndef CONSIGN_RESPONDER_TURN_H
#define CONSIGN_RESPONDER_TURN_H

#include <stdbool.h>

#include "lib/pool.h"
#include "responder/request.h"

struct turn {
    struct request_listener *listener;
    struct pool_share share;
    bool told; /* by the last wait: somebody is at the socket, and no other worker was told */
    bool own;  /* by the last wait: the kept connection has a request or has ended */
};

/* Takes the request whose turn it is. REQUEST_NOTHING: there is none, call turn_wait(). */
enum request_accept turn_take(struct turn *t);

/* Waits for a request, as pool_worker_wait_turn(). */
void turn_wait(struct turn *t, int timeout_ms);

#endif
