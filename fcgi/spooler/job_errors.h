/*
 * job_errors: what a client is told of work that failed, and whose fault it was. One table.
 *
 * contract.md section 5: errors[] of a job, most specific first, `callStack` an opaque reference; section 4: errors[] of
 * a batch. The texts name no path, no SQL and no other tenant. Callers: runner, loader.
 */
#ifndef CONSIGN_SPOOLER_JOB_ERRORS_H
#define CONSIGN_SPOOLER_JOB_ERRORS_H

#include "lib/fault.h"
#include "lib/str.h"

/* errors[] of an export that `fault` ended. `reference` is the attempt. */
void job_errors_write(enum fault fault, const char *reference, struct str *out);

/* errors[] of an export none of whose attempts came to an end of its own: so many, and the name of the last fault that
 * one of them told ("" for none). */
void job_errors_write_killed(int attempts, const char *last_fault, const char *reference, struct str *out);

/* errors[] of an uploaded batch that could not be loaded, for the same two reasons. */
void job_errors_write_load(enum fault fault, struct str *out);
void job_errors_write_load_killed(int attempts, const char *last_fault, struct str *out);

#endif
