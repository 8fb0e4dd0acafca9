/*
 * stmt_spooler: every SQL statement of consign-spooler.
 *
 * Rows of struct stmt have the tenant (org, sandbox) as their first two parameters where they touch
 * a tenant. Session settings are constant texts; those that must be put together are in core/stmt_copy.
 */
#ifndef CONSIGN_CORE_STMT_SPOOLER_H
#define CONSIGN_CORE_STMT_SPOOLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/fault.h"

/* -> schema, role; see database_check.h */
extern const struct stmt STMT_SPOOLER_SCHEMA;
/* work: attempt, whether only of orgs for which nothing runs -> org, sandbox, entry, kind, job, batch, previous, attempts, cancel; or no row */
extern const struct stmt STMT_WORK_CLAIM;
/* org, sandbox, batch, attempt, least pause in ms (0: none, at once), undo, fault. CN410. */
extern const struct stmt STMT_WORK_RELEASE;
/* org, sandbox, batch, attempt -> entry; the attempt still owns it. CN410, CN408. */
extern const struct stmt STMT_WORK_LOOK;
/* org, sandbox, batch -> dataset, class, status, attempt (whose files were published), last_fault (of the attempts before, by
 * name; or NULL), request (that made the job of an export; or NULL) */
extern const struct stmt STMT_BATCH_LOOK;
/* silence in ms -> how many sessions that hold leases were ended because they stand in the middle of a call */
extern const struct stmt STMT_SESSION_END_SILENT;
/* whether an attempt (uuid) is a live one, over all tenants -> boolean */
extern const struct stmt STMT_ATTEMPT_LIVE;
/* org, sandbox, batch -> boolean: the batch's uploads are still wanted; how many are entered */
extern const struct stmt STMT_INBOX_WANTED;
/* org, sandbox, batch, object -> boolean: it is an upload that is entered */
extern const struct stmt STMT_UPLOAD_WANTED;
/* the most to remove; over all tenants -> how many idempotency keys that have ended were removed */
extern const struct stmt STMT_KEYS_EXPIRE;

/* Events of webhooks, over all tenants (sql/schema/033_webhook.sql).
 * CLAIM: the most, for how long in ms -> org, sandbox, event, attempts, webhook, url, secret, old_secret (hex; the second may
 * be NULL), body
 * END: org, sandbox, event, attempts, outcome, pause in ms -> boolean: the attempt was ours
 * GIVE_UP: how old in ms, the most -> org, sandbox, event, webhook, attempts
 * FORGET: how old in ms, the most -> how many */
extern const struct stmt STMT_WEBHOOK_CLAIM;
extern const struct stmt STMT_WEBHOOK_END;
extern const struct stmt STMT_WEBHOOK_GIVE_UP;
extern const struct stmt STMT_WEBHOOK_FORGET;

/* names, counts (arrays); of no tenant. See metric_add.sql */
extern const struct stmt STMT_METRIC_ADD;

/* The sweep (sql/schema/024_sweep.sql); the first five are of no tenant.
 * BEGIN: least pause since the last one began -> step, place of all marks; no row: it is not ours to sweep
 * END: -
 * MARK: step, place
 * PLACES: org, sandbox, limit -> org, sandbox of the sandboxes behind it
 * RETENTION_NEXT: org, sandbox, dataset, limit -> the same, of the datasets behind it whose batches expire
 * BATCH_EXPIRE: org, sandbox, dataset, the most -> batch, kind of those that are gone now
 * LAKE_DEAD: org, sandbox, datasets, batches, attempts (arrays; "-" for none) -> place from 1, awaited
 * DATASET_THERE: org, sandbox, dataset -> boolean
 * BATCH_ABANDON, JOB_ARCHIVE, BATCH_FORGET: org, sandbox, how old, the most -> how many */
extern const struct stmt STMT_SWEEP_BEGIN;
extern const struct stmt STMT_SWEEP_END;
extern const struct stmt STMT_SWEEP_MARK;
extern const struct stmt STMT_SWEEP_PLACES;
extern const struct stmt STMT_RETENTION_NEXT;
extern const struct stmt STMT_BATCH_EXPIRE;
extern const struct stmt STMT_LAKE_DEAD;
extern const struct stmt STMT_DATASET_THERE;
extern const struct stmt STMT_BATCH_ABANDON;
extern const struct stmt STMT_JOB_ARCHIVE;
extern const struct stmt STMT_BATCH_FORGET;

/* org, sandbox, job, batch, attempt -> dataset, format, compression, fields, additional_fields, filter, policy (its
 * rules as core/policy.h reads them; NULL for the built-in one), segment_per_batch */
extern const struct stmt STMT_JOB_START;
/* org, sandbox, job -> the same for a job that has begun, for its helpers */
extern const struct stmt STMT_JOB_ORDERS;
/* org, sandbox, job -> number (from 0), batch, segment_ns, segment_id; in order of number. No row unless the job
 * has a batch a segment. */
extern const struct stmt STMT_JOB_TARGETS;
/* org, sandbox, job, batch, attempt, phase, done, estimated, files, bytes. CN507: more bytes than the quota of the lake allows */
extern const struct stmt STMT_JOB_BEAT;
/* org, sandbox, job, batch, attempt, push, files, profiles, events, by_namespace, skipped, watermark_ms,
 * export_end_ms, write_start_ms */
extern const struct stmt STMT_JOB_PUBLISH;
/* org, sandbox, job, batch, attempt, status, errors */
extern const struct stmt STMT_JOB_GIVE_UP;

/* org, sandbox, batch -> name, object, bytes (of the object), encoding, input_format, delimiter; in order of name, and
 * of the objects of one file in their order */
extern const struct stmt STMT_UPLOAD_LIST;
/* org, sandbox, batch, input, failed -> boolean: more of its records failed than it takes; percentage that it takes */
extern const struct stmt STMT_BATCH_TOO_BAD;
/* org, sandbox, batch, bytes that were stored of it */
extern const struct stmt STMT_BATCH_WRITTEN;
/* org, sandbox, batch, attempt, started_ms, input, failed, errors */
extern const struct stmt STMT_BATCH_LOAD;
/* org, sandbox, batch, attempt, started_ms, input, failed, errors, reason */
extern const struct stmt STMT_BATCH_FAIL;

/* What is to be removed from the store (sql/schema/013_system_job.sql); of an attempt: org, sandbox, batch (of the queue
 * entry), attempt.
 * START: -> which attempt at the removal itself it is, from 1
 * BEHIND: org, sandbox -> a dataset with messages that were accepted before the removal that is first; or no row
 * RUN: -> records that were removed */
extern const struct stmt STMT_SYSTEM_JOB_START;
extern const struct stmt STMT_SYSTEM_JOB_BEHIND;
extern const struct stmt STMT_SYSTEM_JOB_RUN;
extern const struct stmt STMT_SYSTEM_JOB_FAIL;

/* Messages (sql/schema/011_intake.sql). `entry` is the batch of the queue entry that the attempt works on.
 * LOOK: org, sandbox, dataset -> class, the largest number that may be loaded now (0: there is none); no row: no such
 * dataset
 * TAKE: org, sandbox, dataset, after, to (numbers), rows, bytes -> number, xaction, bytes, body; in order of number
 * LOAD: org, sandbox, dataset, entry, attempt, batch to make, started_ms, input, failed, input_bytes, output_bytes, errors,
 * errors that a batch keeps -> batch
 * TRY: org, sandbox, dataset, entry, attempt, to -> number, again; or no row
 * END: org, sandbox, dataset, attempt -> boolean: some are left */
extern const struct stmt STMT_STREAM_LOOK;
extern const struct stmt STMT_STREAM_TAKE;
extern const struct stmt STMT_STREAM_LOAD;
extern const struct stmt STMT_STREAM_TRY;
extern const struct stmt STMT_STREAM_END;

/* org, sandbox, dataset -> class, document (NULL: a base schema), identities (JSON text, as profile/schema reads it) */
extern const struct stmt STMT_INTAKE_RULES;

/* Observed schemas (core/observed) of the datasets that hold records.
 * GET: org, sandbox, dataset -> schema; no row: it holds none yet; NULL: it held some before schemas were kept
 * PUT: org, sandbox, dataset, schema
 * NEXT: org, sandbox, dataset ("": none yet) -> of the one after it dataset, class ("profile" or "experienceevent"),
 * schema (NULL as above); one at a time, because each may be megabytes */
extern const struct stmt STMT_OBSERVED_GET;
extern const struct stmt STMT_OBSERVED_PUT;
extern const struct stmt STMT_OBSERVED_NEXT;

/* org, sandbox -> watermark_ms, snapshot (text), identities */
extern const struct stmt STMT_STORE_LOOK;
/* org, sandbox, identities -> an array, as text, of the persons at every so many identities in their order */
extern const struct stmt STMT_STORE_BOUNDS;

/* An export that several workers write (sql/schema/009_shares.sql). */
/* org, sandbox, job, batch, attempt, snapshot, bounds (an array as text) */
extern const struct stmt STMT_SHARE_OPEN;
/* org, sandbox, job, batch, attempt, helper -> person_from, person_to; or no row */
extern const struct stmt STMT_SHARE_TAKE;
/* helper -> org, sandbox, job, batch, attempt, snapshot, liveness of exports that are open for it, the oldest first */
extern const struct stmt STMT_HELP_BEGIN;
/* org, sandbox, job, batch, attempt, helper, liveness */
extern const struct stmt STMT_HELP_ENTER;
/* org, sandbox, job, batch, attempt, helper, profiles, files, bytes */
extern const struct stmt STMT_HELP_BEAT;
/* org, sandbox, job, helper, profiles, events, too_many, too_large, by_namespace, files */
extern const struct stmt STMT_HELP_END;
/* org, sandbox, job, helper */
extern const struct stmt STMT_HELP_DROP;
/* org, sandbox, job, silent_ms -> working, free */
extern const struct stmt STMT_HELP_LOOK;
/* org, sandbox, job, the attempt before -> how many sessions of its helpers were ended */
extern const struct stmt STMT_HELP_CLEAR;
/* org, sandbox, job -> of the helpers that are done: helper, target, name, rows, bytes, sha256 */
extern const struct stmt STMT_HELP_FILES;

/* The staging table of a load, filled by COPY in this column order: seq, ns, value, event_id, time_ms, body,
 * link_ns and link_value (the other identities of the record, NULL when it has none). */
extern const char STMT_STAGE_MAKE[];
extern const char STMT_STAGE_COPY[];
extern const char STMT_STAGE_ANALYZE[];

/* Of a transaction that reads the store in order: see stmt_spooler.c. */
extern const char STMT_READ_SETTINGS[];

#endif
