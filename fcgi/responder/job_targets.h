/*
 * job_targets: the batches of a job with a batch for each segment, as job_create() (SQL) takes them.
 */
#ifndef CONSIGN_RESPONDER_JOB_TARGETS_H
#define CONSIGN_RESPONDER_JOB_TARGETS_H

#include "core/spec.h"
#include "lib/arena.h"

/* A JSON array in the order of the segments, in the arena: [{"batch","ns","id","statuses":[...]}, ...]. The first has
 * the batch `first`, the others have new ids. NULL: the job has one batch for all, or no memory. */
const char *job_targets(struct arena *a, const struct spec_request *spec, const char *first);

#endif
