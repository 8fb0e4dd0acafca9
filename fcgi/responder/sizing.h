/*
 * sizing: how many of something a machine of so many cores gets. Pure but for sizing_cores().
 *
 * A worker serves one request at a time and mostly waits for the database, whose backend works meanwhile; so more
 * workers than cores are needed, and beyond a few a core more of them only take memory and connections (measured:
 * fcgi/README.md, Decisions). tools/devstack.d/postgres.sh counts connections by the same rule.
 */
#ifndef CONSIGN_RESPONDER_SIZING_H
#define CONSIGN_RESPONDER_SIZING_H

#include <stdint.h>

/* The cores that this process may run on, at least 1. A quota of CPU time (cgroup) does not count. */
int sizing_cores(void);

/* Workers of the pool for api.workers: the setting itself, or for 0 four a core, 64 at most: with a reload and the
 * spooler that fits into 200 connections. */
int sizing_workers(int64_t setting, int cores);

/* Requests a second of one org for api.org_rate: the setting itself, or for 0 five hundred a core: a sixth of what such a machine
 * answers. */
int64_t sizing_org_rate(int64_t setting, int cores);

/* How many of so many workers may hold a request open (?wait=): a quarter, rounded; of two one, of one none. */
int sizing_waiting(int workers);

#endif
