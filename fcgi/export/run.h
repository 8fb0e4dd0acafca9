/*
 * run: one export from the store into files.
 *
 * reader -> merge -> projection -> sink, row by row, in memory that does not grow with the store.
 * Rows are JSON objects; `eventList` is the last member, and missing where a row has no events. Files
 * go to a directory that is the attempt's own; nothing here makes them visible. Caller: the
 * spooler's runner.
 */
#ifndef CONSIGN_EXPORT_RUN_H
#define CONSIGN_EXPORT_RUN_H

#include <stdint.h>

#include "core/spec.h"
#include "export/sink.h"
#include "lib/arena.h"
#include "lib/db.h"
#include "lib/fault.h"
#include "lib/str.h"

#define RUN_IDENTITIES_MAX 50u /* a profile with more is left out (contract.md section 6) */

/* How far it is; written as it goes on, read by whoever `tick` is. */
struct run_progress {
    const char *phase; /* "reading", "writing" */
    int64_t profiles_done;
    int64_t profiles_estimated;
    int64_t files_written;
};

/* All pointers are the caller's, good until run_release(). */
struct run_order {
    struct db *fragments; /* two connections that nothing else uses */
    struct db *events;
    struct arena *arena;
    int org;
    int sandbox;
    const struct spec_orders *orders;
    struct sink_settings sink;
    /* Asked at every row and event, and must be cheap: FAULT_NONE, or the fault to end with. */
    enum fault (*tick)(void *arg);
    void *tick_arg;
    struct run_progress *progress;
};

/* What came of it. */
struct run_result {
    struct sink *sink; /* with its part list; NULL after a fault before it was opened */
    int64_t watermark_ms;
    int64_t rows;
    int64_t events;
    int64_t read_end_ms;     /* wall time when the last row was read */
    struct str by_namespace; /* {"ns": rows} */
    struct str skipped;      /* {"reason": profiles}; empty when none was left out */
};

/* Reads, merges and writes all rows and finishes the sink: on FAULT_NONE all parts are durable. Any
 * fault of the database, the disk or tick; the sink's files go with run_release() then. */
enum fault run_export(const struct run_order *order, struct run_result *result) MUST_CHECK;

/* Closes the sink and frees the rest. */
void run_release(struct run_result *result);

#endif
