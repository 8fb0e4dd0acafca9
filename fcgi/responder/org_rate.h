/*
 * org_rate: how many requests a second one org has worked on. Called by pipeline.c, made by main.c.
 *
 * A crowd of connections that asks as fast as it is answered takes the machine, not only workers: whoever else asks then
 * waits for a core (promise 9 of fcgi/README.md). nginx limits each token and each address, and a tenant may have many of both; only the
 * pool knows whose a request is. The limit holds while others ask too (concurrency_contended()).
 *
 * Each org has the time at which it will have used up what it has asked (the generic cell rate algorithm of ITU-T I.371), in memory
 * that all workers share; so has each client, for requests of it that are no org's. There is nothing to tidy up after a worker
 * that was killed.
 */
#ifndef CONSIGN_RESPONDER_ORG_RATE_H
#define CONSIGN_RESPONDER_ORG_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct org_rate;

/* So many requests a second for each, at least 1, in shared memory that is never given back. NULL without memory. */
struct org_rate *org_rate_new(int64_t per_second);

/* For whom a request counts: the org (verified; more than 0), or when that is 0 the client, as a number below 0. Some clients
 * share one. */
int org_rate_payer(const struct org_rate *r, int org, const char *client);

/* Whether the payer may have one more, which costs as much as so many requests; counts it if so. It may be a quarter of a second
 * ahead. now_us is the monotonic clock. */
bool org_rate_take(struct org_rate *r, int payer, int requests, int64_t now_us);

/* What it may have in a second. */
int64_t org_rate_per_second(const struct org_rate *r);

#endif
