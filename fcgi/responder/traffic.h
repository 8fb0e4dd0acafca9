/*
 * traffic: requests by route, class of the status and time, in memory that all workers share.
 *
 * A request adds to two counters and one sum, atomically and without a lock; nothing is allocated. A worker that is killed
 * in the middle loses one request's figures, no more. Callers: pipeline counts, ops_metrics shows.
 */
#ifndef CONSIGN_RESPONDER_TRAFFIC_H
#define CONSIGN_RESPONDER_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/str.h"

struct traffic;

/* For so many routes (routes_count()). NULL: no memory. Never freed: it lives as long as the pool. */
struct traffic *traffic_new(int routes);

/* A request of the route (routes_number(); the number of routes for none) ended with this status (0: nobody was
 * answered) after so many microseconds. */
void traffic_count(struct traffic *t, int route, int status, int64_t us);

/* Writes the requests and their times as metrics. */
void traffic_write(const struct traffic *t, struct str *out, bool open);

#endif
