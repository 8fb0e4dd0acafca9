/*
 * job_id: the numbers of export jobs.
 *
 * Milliseconds since 2020 times 4096, plus 12 random bits: unique within a sandbox by the primary
 * key, growing with the creation time, so that the key serves the newest-first list, and exact in a
 * JavaScript number. A common counter would tell each tenant how many jobs the others create
 * (promise 6), a counter a tenant would make a tenant's calls wait for each other.
 */
#ifndef CONSIGN_CORE_JOB_ID_H
#define CONSIGN_CORE_JOB_ID_H

#include <stdint.h>

#define JOB_ID_MOST INT64_C(9007199254740991) /* 2^53 - 1 */

/* A number for a job created at `now_ms`. */
int64_t job_id_make(int64_t now_ms);

#endif
