/*
 * stmt_api: every SQL statement of the pool, and nothing else that the pool may say to the database.
 *
 * Tenant statements have org and sandbox as their first two parameters and run inside db_call(),
 * which sets the tenant for row level security too. The parameter lists stand in stmt_api.c.
 */
#ifndef CONSIGN_CORE_STMT_API_H
#define CONSIGN_CORE_STMT_API_H

#include "lib/db.h"

/* before a tenant is known */
extern const struct stmt STMT_SCOPE_FIND;    /* client_id, ims_org_id, sandbox_name */
extern const struct stmt STMT_CLIENT_SECRET; /* client_id -> salt (hex), hash (hex), rights */
extern const struct stmt STMT_API_SCHEMA;    /* -> schema, role; see database_check.h */
extern const struct stmt STMT_READY;         /* the database answers and is migrated -> boolean: it takes no writes */
extern const struct stmt STMT_METRIC_READ;   /* -> name, value; see metric_read.sql */

/* name (NULL: all), limit, row offset -> name, created, total; of the tenant's org, see sandbox_list.sql */
extern const struct stmt STMT_SANDBOX_LIST;

/* Export jobs. The columns of a job are those of enum job_column. */
extern const struct stmt STMT_JOB_CREATE;
extern const struct stmt STMT_JOB_GET;      /* job */
extern const struct stmt STMT_JOB_ARCHIVED; /* job; when the other has none */
extern const struct stmt STMT_JOB_STATUS;   /* job; the status alone, of one that is not archived */
extern const struct stmt STMT_JOB_CANCEL;   /* job -> status */

enum job_sort { JOB_SORT_CREATED, JOB_SORT_UPDATED, JOB_SORT_STATUS, JOB_SORT_COUNT };

/* One page of jobs. Parameters: limit, row offset, job of the cursor (NULL: from the start), and
 * for those of one status the status. Sorting one status by status is sorting it by creation.
 * cut: the page ends with the first row at which what jobs keep as given passes STMT_JOB_LIST_BYTES, and what would come
 * behind it is not read; dearer than the page as it is. The batches of a job with a batch a segment don't count. */
#define STMT_JOB_LIST_BYTES 2097152
const struct stmt *stmt_job_list(enum job_sort sort, bool descending, bool one_status, bool cut);

enum job_column {
    JOB_ID, JOB_STATUS, JOB_DATASET, JOB_BATCH, JOB_POLICY, JOB_POLICY_VERSION, JOB_FIELDS, JOB_FILTER,
    JOB_ADDITIONAL, JOB_INSTANCE, JOB_REQUEST_ID, JOB_CREATED, JOB_UPDATED, JOB_ENDED, JOB_ATTEMPT, JOB_PUSH,
    JOB_EXPORT_START, JOB_EXPORT_END, JOB_WRITE_START, JOB_WRITE_END, JOB_WATERMARK, JOB_PROFILES, JOB_EVENTS,
    JOB_BY_NAMESPACE, JOB_SKIPPED, JOB_ERRORS, JOB_PHASE, JOB_DONE, JOB_ESTIMATED, JOB_FILES, JOB_PER_SEGMENT,
    JOB_WEBHOOK, /* NULL: nobody is told */
    JOB_TARGETS /* destination.batches as clients see it; NULL unless JOB_PER_SEGMENT */
};

/* Datasets. The columns are those of enum dataset_column. */
extern const struct stmt STMT_DATASET_CREATE;
extern const struct stmt STMT_DATASET_GET; /* dataset */
/* dataset -> what its records must be: class, document (NULL: a base schema), identities (JSON text), the last two as
 * profile/schema reads them; no row: no such dataset */
extern const struct stmt STMT_DATASET_RULES;

enum catalog_sort { CATALOG_SORT_CREATED, CATALOG_SORT_UPDATED, CATALOG_SORT_NAME, CATALOG_SORT_COUNT };

/* Parameters: limit, row offset, and for those of one name the name. */
const struct stmt *stmt_dataset_list(enum catalog_sort sort, bool descending, bool one_name);

enum dataset_column {
    DATASET_ID, DATASET_NAME, DATASET_DESCRIPTION, DATASET_SCHEMA, DATASET_CONTENT_TYPE, DATASET_FORMAT,
    DATASET_COMPRESSION, DATASET_TAGS, DATASET_CREATED, DATASET_UPDATED, DATASET_CLIENT, DATASET_VERSION,
    DATASET_LAST_BATCH, DATASET_LAST_STATUS, DATASET_LAST_SUCCESS, DATASET_WEBHOOK
};

/* Batches that clients may see. The columns are those of enum batch_column. */
extern const struct stmt STMT_BATCH_CREATE;
extern const struct stmt STMT_BATCH_GET;      /* batch */
extern const struct stmt STMT_BATCH_UPLOAD;   /* -> objects that are no longer needed, one a row */
extern const struct stmt STMT_BATCH_PATCH;    /* -> refusal, bytes, total, whole, object no longer needed; see batch_patch.sql */
extern const struct stmt STMT_UPLOAD_GET;     /* batch, name -> kind, dataset, status; bytes, total, whole, encoding of the file,
                                                 NULL when there is none; the room in the inbox, see inbox_room.sql */
extern const struct stmt STMT_BATCH_COMPLETE; /* batch -> status; loading: a file of it is not whole */
extern const struct stmt STMT_BATCH_ABORT;    /* batch -> status */

/* Parameters: limit, row offset, status, created after, created before (each of them NULL: any), and for those of one
 * dataset the dataset. Sort: created or updated. */
const struct stmt *stmt_batch_list(enum catalog_sort sort, bool descending, bool one_dataset);

enum batch_column {
    BATCH_ID, BATCH_DATASET, BATCH_KIND, BATCH_STATUS, BATCH_ATTEMPT, BATCH_CREATED, BATCH_UPDATED, BATCH_STARTED,
    BATCH_COMPLETED, BATCH_CLIENT, BATCH_VERSION, BATCH_INPUT, BATCH_OUTPUT, BATCH_FAILED, BATCH_INPUT_BYTES,
    BATCH_OUTPUT_BYTES, BATCH_ERRORS, BATCH_FORMAT, BATCH_DELIMITER, BATCH_BAD_PERCENT, BATCH_STREAM,
    BATCH_EXPIRED /* when; NULL: it has not. The lists have none that has. */
};

/* org, sandbox, dataset, bodies, xactionIds, schemas (arrays; the last NULL: none is named), xactionId of the call, key,
 * body -> xactionId that counts, places of those that were not accepted (an array as text); see stream_put.sql */
extern const struct stmt STMT_STREAM_PUT;

/* Merge policies. Those that answer a policy have the columns of enum policy_column. */
extern const struct stmt STMT_POLICY_LIST; /* version (NULL: the newest) -> all of the sandbox; without that version
                                              the columns from POLICY_VERSION on are NULL */
extern const struct stmt STMT_POLICY_CREATE;
extern const struct stmt STMT_POLICY_REPLACE;
extern const struct stmt STMT_POLICY_DELETE;   /* policy */
extern const struct stmt STMT_POLICY_STRANGER; /* datasets (array) -> the place of the first that is none for an order */

enum policy_column {
    POLICY_ID, POLICY_DEFAULT, POLICY_VERSION, POLICY_NAME, POLICY_RULES, POLICY_ACTIVE_ON_EDGE, POLICY_UPDATED
};

/* The schema registry. The columns are those of enum schema_column and enum descriptor_column. */
extern const struct stmt STMT_SCHEMA_CREATE;
extern const struct stmt STMT_SCHEMA_GET;        /* schema */
extern const struct stmt STMT_SCHEMA_LIST;       /* limit, schema before the page (NULL: from the start), bytes that the
                                                    documents of a page have at most, save for the first */
extern const struct stmt STMT_SCHEMA_PROPERTY;   /* schema, property -> whether the property has a descriptor, whether the
                                                    schema has a primary one */
extern const struct stmt STMT_DESCRIPTOR_CREATE;
extern const struct stmt STMT_DESCRIPTOR_GET;    /* descriptor */
extern const struct stmt STMT_DESCRIPTOR_LIST;   /* limit, descriptor before the page (NULL: from the start) */
extern const struct stmt STMT_SCHEMA_OF_CLASS;   /* class -> schema, document, of all, oldest first */
extern const struct stmt STMT_OBSERVED_OF_CLASS; /* class, bytes at most -> the tenant's schema of the dataset (or NULL),
                                                    observed schema, how many datasets have one; oldest dataset first,
                                                    what passes the bytes left out */
extern const struct stmt STMT_DATASET_OBSERVED;  /* datasets (array), bytes at most -> dataset, observed schema, whether
                                                    they pass the bytes together: then no schema is given */

enum schema_column {
    SCHEMA_COLUMN_ID, SCHEMA_COLUMN_CLASS, SCHEMA_COLUMN_DOCUMENT, SCHEMA_COLUMN_VERSION, SCHEMA_COLUMN_CREATED,
    SCHEMA_COLUMN_UPDATED, SCHEMA_COLUMN_CLIENT,
    SCHEMA_COLUMN_FOUND /* of a list: rows up to the limit, before the page was cut by bytes */
};

enum descriptor_column {
    DESCRIPTOR_ID, DESCRIPTOR_SCHEMA, DESCRIPTOR_PROPERTY, DESCRIPTOR_NAMESPACE, DESCRIPTOR_NAMESPACE_BY,
    DESCRIPTOR_PRIMARY
};

extern const struct stmt STMT_DATASET_CHANGE;
extern const struct stmt STMT_DATASET_DELETE; /* dataset -> NULL: some of it is left, call again */

/* Removals from the store. Those that answer one have the columns of enum system_job_column. */
extern const struct stmt STMT_SYSTEM_JOB_CREATE;
extern const struct stmt STMT_SYSTEM_JOB_GET;  /* job */
extern const struct stmt STMT_SYSTEM_JOB_LIST; /* limit, row offset; the newest first */

enum system_job_column {
    SYSTEM_JOB_ID, SYSTEM_JOB_WHAT, SYSTEM_JOB_DATASET, SYSTEM_JOB_BATCH, SYSTEM_JOB_STATUS, SYSTEM_JOB_REMOVED,
    SYSTEM_JOB_CREATED, SYSTEM_JOB_UPDATED
};

/* Look-ups in the store; see the functions of these names (sql/api). */
extern const struct stmt STMT_ENTITY_FRAGMENTS; /* -> columns of enum entity_column */
extern const struct stmt STMT_ENTITY_EVENTS;    /* -> columns of enum event_column */
extern const struct stmt STMT_ENTITY_REMOVE;    /* ns, value, system job, client -> done or queued */

enum entity_column {
    ENTITY_PLACE, ENTITY_POLICY, ENTITY_IDENTITIES, ENTITY_SOURCES, ENTITY_UPDATED, ENTITY_FITS, ENTITY_BODY
};

enum event_column { EVENT_PLACE, EVENT_POLICY, EVENT_MORE, EVENT_ID, EVENT_TIME, EVENT_BODY };

/* Files of published batches. `expired` is NULL of a batch that has not; of one that has, the rest means nothing. */
extern const struct stmt STMT_FILE_LIST; /* batch, limit, row offset -> part, name, records, bytes, sha256, created, total,
                                            expired */
extern const struct stmt STMT_FILE_GET;  /* batch, part -> name, bytes, sha256, dataset, attempt, expired */
extern const struct stmt STMT_ERROR_LIST; /* batch, limit, row offset -> file, line, offset, code, reason, record, total,
                                             expired */

/* dataset -> columns of enum preview_column; no row: no such dataset */
extern const struct stmt STMT_DATASET_PREVIEW;

enum preview_column {
    PREVIEW_CLASS, PREVIEW_JOB, /* NULL, and the next three too: there is no preview */
    PREVIEW_TOTAL, PREVIEW_SHOWN, PREVIEW_BODY,
    PREVIEW_FILLED, /* without a preview: whether a batch of an export is visible all the same */
    PREVIEW_EXPIRED /* without a preview: whether one has expired */
};

#endif
