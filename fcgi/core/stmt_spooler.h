/*
 * stmt_spooler: every SQL statement of consign-spooler.
 *
 * Rows of struct stmt have the tenant (org, sandbox) as their first two parameters where they touch
 * a tenant. Texts that cannot have parameters (COPY, session settings) are constants, or are made by the
 * functions at the end from integers only.
 */
#ifndef CONSIGN_CORE_STMT_SPOOLER_H
#define CONSIGN_CORE_STMT_SPOOLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/fault.h"

/* work: attempt -> org, sandbox, entry, kind, job, batch, previous, attempts, cancel; or no row */
extern const struct stmt STMT_WORK_CLAIM;
/* org, sandbox, batch, attempt, undo, fault. CN410. Tries again in clamp(age of the entry, 1 s, 60 s),
 * with undo at once. */
extern const struct stmt STMT_WORK_RELEASE;
/* org, sandbox, batch -> dataset, class, status, attempt (whose files were published), holder (the
 * attempt that owns the queue entry; NULL without an entry) */
extern const struct stmt STMT_BATCH_LOOK;
/* whether an attempt (uuid) is a live one, over all tenants -> boolean */
extern const struct stmt STMT_ATTEMPT_LIVE;
/* org, sandbox, batch -> boolean: the batch's uploads are still wanted; how many are entered */
extern const struct stmt STMT_INBOX_WANTED;
/* org, sandbox, batch, object -> boolean: it is an upload that is entered */
extern const struct stmt STMT_UPLOAD_WANTED;
/* the most to remove; over all tenants -> how many idempotency keys that have ended were removed */
extern const struct stmt STMT_KEYS_EXPIRE;

/* org, sandbox, job, batch, attempt -> dataset, format, compression, fields, additional_fields, filter */
extern const struct stmt STMT_JOB_START;
/* org, sandbox, job, batch, attempt, phase, done, estimated, files */
extern const struct stmt STMT_JOB_BEAT;
/* org, sandbox, job, batch, attempt, push, files, profiles, events, by_namespace, skipped, watermark_ms,
 * export_end_ms, write_start_ms */
extern const struct stmt STMT_JOB_PUBLISH;
/* org, sandbox, job, batch, attempt, status, errors */
extern const struct stmt STMT_JOB_GIVE_UP;

/* org, sandbox, batch -> name, object, bytes; in order of name */
extern const struct stmt STMT_UPLOAD_LIST;
/* org, sandbox, batch, attempt, started_ms, input, failed, errors */
extern const struct stmt STMT_BATCH_LOAD;
/* org, sandbox, batch, attempt, started_ms, input, failed, errors, reason */
extern const struct stmt STMT_BATCH_FAIL;

/* org, sandbox -> watermark_ms, snapshot (text), identities */
extern const struct stmt STMT_STORE_LOOK;

/* The staging table of a load, filled by COPY in this column order:
 * seq, ns, value, event_id, time_ms, body. */
extern const char STMT_STAGE_MAKE[];
extern const char STMT_STAGE_COPY[];
extern const char STMT_STAGE_ANALYZE[];

/* Of a transaction that reads the store in order: see stmt_spooler.c. */
extern const char STMT_READ_SETTINGS[];

#define STMT_COPY_MAX 512 /* with terminator */

/* COPY of a tenant's fragments: person, identity, body; by person, identity, age. */
void stmt_copy_fragments(char out[STMT_COPY_MAX], int org, int sandbox);

/* COPY of a tenant's events: person, identity, ingested_ms, body; by person, identity, time, id. Only
 * those ingested later than after_ms and earlier than before_ms. */
void stmt_copy_events(char out[STMT_COPY_MAX], int org, int sandbox, int64_t after_ms, int64_t before_ms);

/* SET TRANSACTION SNAPSHOT. FAULT_INTERNAL when `snapshot` is not the form that the server gives. */
enum fault stmt_use_snapshot(char out[STMT_COPY_MAX], const char *snapshot) MUST_CHECK;

#endif
