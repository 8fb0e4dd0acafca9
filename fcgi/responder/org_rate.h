/*
 * org_rate: how many requests a second one org has worked on. Called by pipeline.c, made by main.c.
 *
 * A crowd of connections that asks as fast as it is answered takes the machine, not only workers: whoever else asks then
 * waits for a core (promise 9 of fcgi/README.md). nginx limits each token and each address, and a tenant may have many of both; only the
 * pool knows whose a request is. The limit holds while other orgs are served too (concurrency_contended()).
 *
 * Each org has the time at which it will have used up what it has asked (the generic cell rate algorithm of ITU-T I.371), in memory
 * that all workers share. There is nothing to tidy up after a worker that was killed.
 */
#ifndef CONSIGN_RESPONDER_ORG_RATE_H
#define CONSIGN_RESPONDER_ORG_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct org_rate;

/* So many requests a second for each org, at least 1, in shared memory that is never given back. NULL without memory. */
struct org_rate *org_rate_new(int64_t per_second);

/* Whether the org (verified; more than 0) may have one more; counts it if so. It may be a quarter of a second ahead. now_us is
 * the monotonic clock. */
bool org_rate_take(struct org_rate *r, int org, int64_t now_us);

/* What it may have in a second. */
int64_t org_rate_per_second(const struct org_rate *r);

#endif
