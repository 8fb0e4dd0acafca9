/*
 * queue_age: how long a request waited for a worker. Called by pipeline.c.
 *
 * nginx notes the moment at which it begins to pass a request on, when all of it has come. What waits in the
 * socket's queue waits unseen by everybody, and a client that gave up is answered all the same; so a request that
 * is too old is refused before any work, and one that is not has so much less time left.
 */
#ifndef CONSIGN_RESPONDER_QUEUE_AGE_H
#define CONSIGN_RESPONDER_QUEUE_AGE_H

#include <stdint.h>

/* Milliseconds since 1970 of nginx's $msec ("1732478400.123"); -1 for any other text. */
int64_t queue_age_read(const char *text);

/* The age in ms of a request that nginx passed on at `received` ($msec, or NULL) and that is taken at wall_ms. It is no
 * older than since_empty_ms, the time since this worker saw the queue empty, and 0 when the clocks can't be right (it
 * comes from the future, or from more than an hour ago). */
int64_t queue_age_ms(const char *received, int64_t wall_ms, int64_t since_empty_ms);

#endif
