/*
 * stmt_api: the statements of the pool. See stmt_api.h.
 */
#include "core/stmt_api.h"

#include "lib/invariant.h"

#define TENANT "org = $1::int AND sandbox = $2::int"

const struct stmt STMT_SCOPE_FIND = {
    "scope_find", "SELECT client_active, entitled, org, sandbox, rights, version FROM consign.scope_find($1, $2, $3)", 3};

const struct stmt STMT_CLIENT_SECRET = {
    "client_secret", "SELECT encode(secret_salt, 'hex'), encode(secret_hash, 'hex'), rights FROM consign.client_secret($1)", 1};

const struct stmt STMT_API_SCHEMA = {"schema", "SELECT consign.schema_version(), current_user, consign.sql_digest()", 0};

const struct stmt STMT_READY = {"ready",
    "SELECT consign.now_ms() IS NULL OR pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean", 0};

const struct stmt STMT_METRIC_READ = {"metric_read", "SELECT name, value FROM consign.metric_read()", 0};

const struct stmt STMT_SANDBOX_LIST = {
    "sandbox_list", "SELECT name, created_ms, total FROM consign.sandbox_list($1::int, $2::int, $3, $4::int, $5::bigint)", 5};

/* ---- export jobs; the order of enum job_column ---- */

#define JOB_BUT_TARGETS                                                                                                \
    "job, status, dataset, batch, merge_policy, merge_policy_version, fields, filter, additional_fields,"              \
    " profile_instance_id, request_id, created_ms, updated_ms, ended_ms, attempt, push, export_start_ms,"              \
    " export_end_ms, write_start_ms, write_end_ms, watermark_ms, profiles, events, by_namespace, skipped, errors,"     \
    " phase, profiles_done, profiles_estimated, files_written, segment_per_batch, webhook"
#define JOB_COLUMNS JOB_BUT_TARGETS ", targets"

/* org, sandbox, job, batch, created, dataset, policy, version, fields, filter, additional, segments, instance,
 * request id, client, key, body, webhook */
const struct stmt STMT_JOB_CREATE = {
    "job_create",
    "SELECT " JOB_COLUMNS " FROM consign.job_create($1::int, $2::int, $3::bigint, $4, $5::bigint, $6, $7, $8::int,"
    " $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    18};

#define JOB_OF(columns, relation) "SELECT " columns " FROM consign." relation " WHERE " TENANT " AND job = $3::bigint"

const struct stmt STMT_JOB_GET = {"job_get", JOB_OF(JOB_COLUMNS, "job_document"), 3};
const struct stmt STMT_JOB_ARCHIVED = {"job_archived", JOB_OF(JOB_COLUMNS, "export_job_archive"), 3};
const struct stmt STMT_JOB_STATUS = {"job_status", JOB_OF("status", "export_job"), 3};

const struct stmt STMT_JOB_CANCEL = {"job_cancel", "SELECT consign.job_cancel($1::int, $2::int, $3::bigint)", 3};

/* A page: the rows beyond the cursor's row in the wanted order. The cursor's row may have gone to the archive since its
 * page was read: the list goes on behind it all the same. A job that never was gives none.
 * CASE and not coalesce(): under row level security only expressions that PostgreSQL knows to be leakproof
 * become index conditions, and coalesce() is none; with it every page read all rows before the cursor. */
#define CURSOR_IN(column, relation)                                                                                    \
    "SELECT c." column " FROM consign." relation " c WHERE c.org = $1::int AND c.sandbox = $2::int AND c.job = $5::bigint"
#define KEY_OF_CURSOR(column, none)                                                                                    \
    "CASE WHEN $5::bigint IS NULL THEN " none " ELSE (" CURSOR_IN(column, "export_job") " UNION ALL "                  \
    CURSOR_IN(column, "export_job_archive") " LIMIT 1) END, "

#define JOB_ROWS(status, key, key_of_cursor, beyond, no_job, order)                                                    \
    " WHERE " TENANT status " AND (" key "job) " beyond                                                                \
    " (" key_of_cursor "CASE WHEN $5::bigint IS NULL THEN " no_job " ELSE $5::bigint END) ORDER BY " order             \
    " LIMIT $3::int OFFSET $4::bigint"

#define TEXT_OF(constant) TEXT_OF_(constant)
#define TEXT_OF_(constant) #constant

/* What of a row may be long. octet_length() asks a value that is stored elsewhere for its size, and does not fetch it. */
#define JOB_BYTES                                                                                                      \
    "coalesce(octet_length(fields), 0) + coalesce(octet_length(filter), 0)"                                            \
    " + coalesce(octet_length(additional_fields), 0) + coalesce(octet_length(errors), 0)"

/* A page as it is, and a page that ends with the row that brings it over STMT_JOB_LIST_BYTES: sizes are added up first,
 * and long values are fetched, and batches of segments looked for, only of the rows that are left. */
#define JOB_PAGE(name, status, key, key_of_cursor, beyond, no_job, order, params)                                      \
    {                                                                                                                  \
        {name,                                                                                                         \
         "SELECT " JOB_COLUMNS " FROM consign.job_document" JOB_ROWS(status, key, key_of_cursor, beyond, no_job, order), \
         params},                                                                                                      \
        {                                                                                                              \
            name "_cut",                                                                                               \
                "SELECT " JOB_BUT_TARGETS ", CASE WHEN segment_per_batch THEN consign.job_targets($1::int, $2::int, job) END" \
                " FROM (SELECT *, sum(bytes) OVER walk - bytes AS before"                                              \
                " FROM (SELECT " JOB_BUT_TARGETS ", " JOB_BYTES " AS bytes FROM consign.job_document"                  \
                JOB_ROWS(status, key, key_of_cursor, beyond, no_job, order) ") p"                                      \
                " WINDOW walk AS (ORDER BY " order " ROWS UNBOUNDED PRECEDING)) page"                                  \
                " WHERE before <= " TEXT_OF(STMT_JOB_LIST_BYTES) " ORDER BY " order,                                            \
                params                                                                                                 \
        }                                                                                                              \
    }
#define OF_STATUS " AND status = $6"
#define MOST "9223372036854775807"

/* [sort][descending][one status][cut] */
static const struct stmt JOB_LISTS[JOB_SORT_COUNT][2][2][2] = {
    [JOB_SORT_CREATED] =
        {{JOB_PAGE("job_list_ca", "", "", "", ">", "0", "job", 5),
          JOB_PAGE("job_list_cas", OF_STATUS, "", "", ">", "0", "job", 6)},
         {JOB_PAGE("job_list_cd", "", "", "", "<", MOST, "job DESC", 5),
          JOB_PAGE("job_list_cds", OF_STATUS, "", "", "<", MOST, "job DESC", 6)}},
    [JOB_SORT_UPDATED] =
        {{JOB_PAGE("job_list_ua", "", "updated_ms, ", KEY_OF_CURSOR("updated_ms", "0"), ">", "0",
                   "updated_ms, job", 5),
          JOB_PAGE("job_list_uas", OF_STATUS, "updated_ms, ", KEY_OF_CURSOR("updated_ms", "0"), ">", "0",
                   "updated_ms, job", 6)},
         {JOB_PAGE("job_list_ud", "", "updated_ms, ", KEY_OF_CURSOR("updated_ms", MOST), "<", MOST,
                   "updated_ms DESC, job DESC", 5),
          JOB_PAGE("job_list_uds", OF_STATUS, "updated_ms, ", KEY_OF_CURSOR("updated_ms", MOST), "<", MOST,
                   "updated_ms DESC, job DESC", 6)}},
    [JOB_SORT_STATUS] =
        {{JOB_PAGE("job_list_sa", "", "status, ", KEY_OF_CURSOR("status", "''"), ">", "0", "status, job", 5),
          JOB_PAGE("job_list_sas", OF_STATUS, "", "", ">", "0", "job", 6)},
         {JOB_PAGE("job_list_sd", "", "status, ", KEY_OF_CURSOR("status", "'~'"), "<", MOST, "status DESC, job DESC", 5),
          JOB_PAGE("job_list_sds", OF_STATUS, "", "", "<", MOST, "job DESC", 6)}},
};

const struct stmt *stmt_job_list(enum job_sort sort, bool descending, bool one_status, bool cut)
{
    INVARIANT(sort < JOB_SORT_COUNT);
    return &JOB_LISTS[sort][descending][one_status][cut];
}

/* ---- datasets; the order of enum dataset_column ---- */

/* An export batch shows when it is published; until then it does not exist for anybody. */
#define BATCH_VISIBLE "(b.kind = 'ingest' OR b.status = 'success')"
/* Lists leave out what has expired; asked for by its id, it is told to be gone. */
#define BATCH_KEPT BATCH_VISIBLE " AND b.expired_ms IS NULL"

#define DATASET_COLUMNS                                                                                                \
    "d.dataset, d.name, d.description, d.schema_id, d.schema_content_type, d.format, d.compression, d.tags,"           \
    " d.created_ms, d.updated_ms, d.created_client, d.version, last.batch, last.status, good.batch, d.webhook"
#define DATASET_FROM                                                                                                   \
    " FROM consign.dataset d"                                                                                          \
    " LEFT JOIN LATERAL (SELECT b.batch, b.status FROM consign.batch b WHERE b.org = d.org AND b.sandbox = d.sandbox"  \
    " AND b.dataset = d.dataset AND " BATCH_KEPT " ORDER BY b.created_ms DESC, b.batch DESC LIMIT 1) last ON true"  \
    " LEFT JOIN LATERAL (SELECT b.batch FROM consign.batch b WHERE b.org = d.org AND b.sandbox = d.sandbox"            \
    " AND b.dataset = d.dataset AND b.status = 'success' AND b.expired_ms IS NULL ORDER BY b.created_ms DESC, b.batch DESC LIMIT 1) good ON true" \
    " WHERE d.org = $1::int AND d.sandbox = $2::int"

/* org, sandbox, dataset, name, description, schema id, content type, class, format, compression, tags, client,
 * key, body, the tenant's schema (NULL: a base schema), webhook -> the dataset's id, NULL: what the key made is gone */
const struct stmt STMT_DATASET_CREATE = {
    "dataset_create",
    "SELECT consign.dataset_create($1::int, $2::int, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)", 16};

const struct stmt STMT_DATASET_RULES = {
    "dataset_rules", "SELECT class, document, identities FROM consign.dataset_rules($1::int, $2::int, $3)", 3};

const struct stmt STMT_DATASET_GET = {"dataset_get", "SELECT " DATASET_COLUMNS DATASET_FROM " AND d.dataset = $3", 3};

/* All of a sandbox, and those of one name. Two statements, because one plan serves whatever the parameters are. */
#define DATASET_PAGE(order) " ORDER BY " order " LIMIT $3::int OFFSET $4::bigint"
#define DATASET_LIST(name, order)                                                                                      \
    {                                                                                                                  \
        {name, "SELECT " DATASET_COLUMNS DATASET_FROM DATASET_PAGE(order), 4},                                         \
            {name "n", "SELECT " DATASET_COLUMNS DATASET_FROM " AND d.name = $5" DATASET_PAGE(order), 5}               \
    }

/* [sort][descending][one name] */
static const struct stmt DATASET_LISTS[CATALOG_SORT_COUNT][2][2] = {
    [CATALOG_SORT_CREATED] = {DATASET_LIST("dataset_list_ca", "d.created_ms, d.dataset"),
                              DATASET_LIST("dataset_list_cd", "d.created_ms DESC, d.dataset DESC")},
    [CATALOG_SORT_UPDATED] = {DATASET_LIST("dataset_list_ua", "d.updated_ms, d.dataset"),
                              DATASET_LIST("dataset_list_ud", "d.updated_ms DESC, d.dataset DESC")},
    [CATALOG_SORT_NAME] = {DATASET_LIST("dataset_list_na", "d.name, d.dataset"),
                           DATASET_LIST("dataset_list_nd", "d.name DESC, d.dataset DESC")},
};

const struct stmt *stmt_dataset_list(enum catalog_sort sort, bool descending, bool one_name)
{
    INVARIANT(sort < CATALOG_SORT_COUNT);
    return &DATASET_LISTS[sort][descending][one_name];
}

/* ---- batches; the order of enum batch_column ---- */

#define BATCH_COLUMNS                                                                                                  \
    "b.batch, b.dataset, b.kind, b.status, b.attempt, b.created_ms, b.updated_ms, b.started_ms, b.completed_ms,"       \
    " b.created_client, b.version, b.input_records, b.output_records, b.failed_records, b.input_bytes,"                \
    " b.output_bytes, b.errors, b.input_format, b.delimiter, b.bad_percent, b.stream, b.expired_ms"
#define BATCH_WHERE " WHERE b.org = $1::int AND b.sandbox = $2::int AND " BATCH_VISIBLE

/* org, sandbox, batch, dataset, client, key, body, format, delimiter, percentage of bad records */
const struct stmt STMT_BATCH_CREATE = {
    "batch_create",
    "SELECT " BATCH_COLUMNS " FROM consign.batch_create($1::int, $2::int, $3, $4, $5, $6, $7, $8, $9, trim_scale($10::numeric)) b", 10};

const struct stmt STMT_BATCH_GET = {
    "batch_get", "SELECT " BATCH_COLUMNS " FROM consign.batch b" BATCH_WHERE " AND b.batch = $3", 3};

const struct stmt STMT_UPLOAD_GET = {
    "upload_get",
    "SELECT b.kind, b.dataset, b.status, u.bytes, CASE WHEN u.total_bytes IS NULL THEN u.bytes ELSE u.total_bytes END,"
    " u.whole, u.encoding, consign.inbox_room($1::int, $2::int) FROM consign.batch b"
    " LEFT JOIN consign.batch_upload u ON u.org = b.org AND u.sandbox = b.sandbox AND u.batch = b.batch AND u.name = $4"
    BATCH_WHERE " AND b.batch = $3", 4};

/* org, sandbox, batch, dataset, name, object, bytes, encoding -> the objects that are no longer needed */
const struct stmt STMT_BATCH_UPLOAD = {
    "batch_upload", "SELECT consign.batch_upload($1::int, $2::int, $3, $4, $5, $6, $7::bigint, $8)", 8};

/* org, sandbox, batch, dataset, name, object, bytes, first byte, total, encoding */
const struct stmt STMT_BATCH_PATCH = {
    "batch_patch",
    "SELECT refusal, bytes, total, whole, removed FROM consign.batch_patch($1::int, $2::int, $3, $4, $5, $6, $7::bigint,"
    " $8::bigint, $9::bigint, $10)", 10};

const struct stmt STMT_BATCH_COMPLETE = {"batch_complete", "SELECT consign.batch_complete($1::int, $2::int, $3)", 3};
const struct stmt STMT_BATCH_ABORT = {"batch_abort", "SELECT consign.batch_abort($1::int, $2::int, $3)", 3};

/* Of all datasets, and of one. CASE as in the lists of jobs: bounds that are not given must not cost the index. */
#define BATCH_PAGE(dataset, order)                                                                                     \
    "SELECT " BATCH_COLUMNS " FROM consign.batch b" BATCH_WHERE " AND b.expired_ms IS NULL" dataset                    \
    " AND ($5::text IS NULL OR b.status = $5)"                                                                         \
    " AND b.created_ms > CASE WHEN $6::bigint IS NULL THEN -1 ELSE $6::bigint END"                                     \
    " AND b.created_ms < CASE WHEN $7::bigint IS NULL THEN " MOST " ELSE $7::bigint END"                               \
    " ORDER BY " order " LIMIT $3::int OFFSET $4::bigint"
#define BATCH_LIST(name, order)                                                                                        \
    {                                                                                                                  \
        {name, BATCH_PAGE("", order), 7}, {name "d", BATCH_PAGE(" AND b.dataset = $8", order), 8}                      \
    }

/* [sort][descending][one dataset] */
static const struct stmt BATCH_LISTS[2][2][2] = {
    [CATALOG_SORT_CREATED] = {BATCH_LIST("batch_list_ca", "b.created_ms, b.batch"),
                              BATCH_LIST("batch_list_cd", "b.created_ms DESC, b.batch DESC")},
    [CATALOG_SORT_UPDATED] = {BATCH_LIST("batch_list_ua", "b.updated_ms, b.batch"),
                              BATCH_LIST("batch_list_ud", "b.updated_ms DESC, b.batch DESC")},
};

const struct stmt *stmt_batch_list(enum catalog_sort sort, bool descending, bool one_dataset)
{
    INVARIANT(sort < CATALOG_SORT_NAME);
    return &BATCH_LISTS[sort][descending][one_dataset];
}

/* ---- messages ---- */

const struct stmt STMT_STREAM_PUT = {
    "stream_put",
    "SELECT xaction, misfits FROM consign.stream_put($1::int, $2::int, $3, $4::text[], $5::text[], $6::text[], $7, $8, $9)",
    9};

/* ---- merge policies; the order of enum policy_column ---- */

#define POLICY_COLUMNS "policy, is_default, version, name, rules, active_on_edge, updated_ms"

const struct stmt STMT_POLICY_LIST = {
    "policy_list",
    "SELECT p.policy, p.is_default, d.version, d.name, d.rules, d.active_on_edge, d.updated_ms FROM consign.merge_policy p"
    " LEFT JOIN consign.policy_document d ON d.org = p.org AND d.sandbox = p.sandbox AND d.policy = p.policy"
    " AND d.version = CASE WHEN $3::int IS NULL THEN p.version ELSE $3::int END"
    " WHERE p.org = $1::int AND p.sandbox = $2::int ORDER BY p.policy",
    3};

/* org, sandbox, policy, class, name, rules, datasets, active on edge, default, client, key, body */
const struct stmt STMT_POLICY_CREATE = {
    "policy_create",
    "SELECT " POLICY_COLUMNS " FROM consign.policy_create($1::int, $2::int, $3, $4, $5, $6, $7::text[], $8::boolean,"
    " $9::boolean, $10, $11, $12)",
    12};

/* org, sandbox, policy, version and default that the content was made of (NULL: none), name, rules, datasets,
 * active on edge, default */
const struct stmt STMT_POLICY_REPLACE = {
    "policy_replace",
    "SELECT " POLICY_COLUMNS " FROM consign.policy_replace($1::int, $2::int, $3, $4::int, $5::boolean, $6, $7, $8::text[],"
    " $9::boolean, $10::boolean)",
    10};

const struct stmt STMT_POLICY_DELETE = {"policy_delete", "SELECT consign.policy_delete($1::int, $2::int, $3)", 3};

const struct stmt STMT_POLICY_STRANGER = {
    "policy_stranger", "SELECT consign.policy_stranger($1::int, $2::int, $3::text[])", 3};

/* ---- schema registry ---- */

#define SCHEMA_COLUMNS "s.schema, s.class, s.document, s.version, s.created_ms, s.updated_ms, s.created_client"
#define DESCRIPTOR_COLUMNS "d.descriptor, d.schema, d.property, d.namespace, d.namespace_by, d.is_primary"

/* The page begins behind this row of `relation`. A cursor whose row is not there gives none. */
#define BEHIND(relation, id)                                                                                           \
    " AND (created_ms, " id ") > (CASE WHEN $4::text IS NULL THEN -1 ELSE (SELECT c.created_ms FROM consign." relation \
    " c WHERE c.org = $1::int AND c.sandbox = $2::int AND c." id " = $4) END,"                                         \
    " CASE WHEN $4::text IS NULL THEN '' ELSE $4::text END)"

/* org, sandbox, schema, title, class, document, client, key, body */
const struct stmt STMT_SCHEMA_CREATE = {
    "schema_create",
    "SELECT " SCHEMA_COLUMNS " FROM consign.registry_schema_create($1::int, $2::int, $3, $4, $5, $6, $7, $8, $9) s", 9};

const struct stmt STMT_SCHEMA_GET = {
    "schema_get", "SELECT " SCHEMA_COLUMNS " FROM consign.registry_schema s WHERE " TENANT " AND s.schema = $3", 3};

const struct stmt STMT_SCHEMA_LIST = {
    "schema_list",
    "SELECT " SCHEMA_COLUMNS ", s.found FROM (SELECT p.*, count(*) OVER () AS found, row_number() OVER page AS place,"
    " sum(octet_length(p.document)) OVER page AS bytes FROM (SELECT * FROM consign.registry_schema WHERE " TENANT
    BEHIND("registry_schema", "schema") " ORDER BY created_ms, schema LIMIT $3::int) p"
    " WINDOW page AS (ORDER BY p.created_ms, p.schema)) s"
    " WHERE s.place = 1 OR s.bytes <= $5::bigint ORDER BY s.place",
    5};

const struct stmt STMT_SCHEMA_PROPERTY = {
    "schema_property",
    "SELECT coalesce(bool_or(property = $4), false), coalesce(bool_or(is_primary), false)"
    " FROM consign.registry_descriptor WHERE " TENANT " AND schema = $3",
    4};

/* org, sandbox, descriptor, schema, property, namespace, what names it, primary, client, key, body */
const struct stmt STMT_DESCRIPTOR_CREATE = {
    "descriptor_create",
    "SELECT " DESCRIPTOR_COLUMNS " FROM consign.registry_descriptor_create($1::int, $2::int, $3, $4, $5, $6, $7, $8::boolean,"
    " $9, $10, $11) d",
    11};

const struct stmt STMT_DESCRIPTOR_GET = {
    "descriptor_get",
    "SELECT " DESCRIPTOR_COLUMNS " FROM consign.registry_descriptor d WHERE " TENANT " AND d.descriptor = $3", 3};

const struct stmt STMT_DESCRIPTOR_LIST = {
    "descriptor_list",
    "SELECT " DESCRIPTOR_COLUMNS " FROM consign.registry_descriptor d WHERE " TENANT
    BEHIND("registry_descriptor", "descriptor") " ORDER BY d.created_ms, d.descriptor LIMIT $3::int",
    4};

const struct stmt STMT_SCHEMA_OF_CLASS = {
    "schema_of_class",
    "SELECT schema, document FROM consign.registry_schema WHERE " TENANT " AND class = $3 ORDER BY created_ms, schema", 3};

const struct stmt STMT_OBSERVED_OF_CLASS = {
    "observed_of_class",
    "SELECT found.registry_schema, found.schema, found.datasets"
    " FROM (SELECT d.registry_schema, o.schema, count(*) OVER () AS datasets,"
    " sum(octet_length(o.schema)) OVER page AS bytes, row_number() OVER page AS place"
    " FROM consign.observed_schema o JOIN consign.dataset d USING (org, sandbox, dataset)"
    " WHERE o.org = $1::int AND o.sandbox = $2::int AND d.class = $3 AND o.schema IS NOT NULL"
    " WINDOW page AS (ORDER BY d.created_ms, d.dataset)) found WHERE found.bytes <= $4::bigint"
    " ORDER BY found.registry_schema, found.place",
    4};

const struct stmt STMT_DATASET_OBSERVED = {
    "dataset_observed",
    "SELECT o.dataset, CASE WHEN NOT o.too_large THEN o.schema END, o.too_large FROM (SELECT p.dataset, p.schema,"
    " sum(octet_length(p.schema)) OVER () > $4::bigint AS too_large FROM consign.observed_schema p"
    " WHERE " TENANT " AND p.dataset = ANY ($3::text[]) AND p.schema IS NOT NULL) o",
    4};

/* ---- removing ---- */

/* org, sandbox, dataset, name (NULL: stays), whether it sets the description, description, and so tags, webhook */
const struct stmt STMT_DATASET_CHANGE = {
    "dataset_change", "SELECT consign.dataset_change($1::int, $2::int, $3, $4, $5::boolean, $6, $7::boolean, $8, $9::boolean, $10)", 10};

const struct stmt STMT_DATASET_DELETE = {"dataset_delete", "SELECT consign.dataset_delete($1::int, $2::int, $3)", 3};

/* The order of enum system_job_column. */
#define SYSTEM_JOB_COLUMNS "j.job, j.what, j.dataset, j.batch, j.status, j.removed, j.created_ms, j.updated_ms"

/* org, sandbox, job, dataset, batch, client, key, body */
const struct stmt STMT_SYSTEM_JOB_CREATE = {
    "system_job_create",
    "SELECT " SYSTEM_JOB_COLUMNS " FROM consign.system_job_create($1::int, $2::int, $3, $4, $5, $6, $7, $8) j", 8};

const struct stmt STMT_SYSTEM_JOB_GET = {
    "system_job_get", "SELECT " SYSTEM_JOB_COLUMNS " FROM consign.system_job j WHERE j.org = $1::int AND j.sandbox = $2::int AND j.job = $3", 3};

const struct stmt STMT_SYSTEM_JOB_LIST = {
    "system_job_list",
    "SELECT " SYSTEM_JOB_COLUMNS " FROM consign.system_job j WHERE j.org = $1::int AND j.sandbox = $2::int"
    " ORDER BY j.created_ms DESC, j.job DESC LIMIT $3::int OFFSET $4::bigint",
    4};

/* ---- entities; the orders of enum entity_column and enum event_column ---- */

/* org, sandbox, policy, names, most fragments, most bytes */
const struct stmt STMT_ENTITY_FRAGMENTS = {
    "entity_fragments",
    "SELECT place, policy, identities, sources, updated_ms, fits, body"
    " FROM consign.entity_fragments($1::int, $2::int, $3, $4, $5::int, $6::bigint)",
    6};

/* org, sandbox, policy, names, from, to, sign, time, id and skip of the cursor, limit, bytes of a page, bytes of all */
const struct stmt STMT_ENTITY_EVENTS = {
    "entity_events",
    "SELECT place, policy, more, event_id, time_ms, body FROM consign.entity_events($1::int, $2::int, $3, $4,"
    " $5::bigint, $6::bigint, $7::int, $8::bigint, $9, $10::int, $11::int, $12::bigint, $13::bigint)",
    13};

const struct stmt STMT_ENTITY_REMOVE = {
    "entity_remove", "SELECT consign.entity_remove($1::int, $2::int, $3, $4, $5, $6)", 6};

/* ---- files ---- */

const struct stmt STMT_FILE_LIST = {
    "file_list",
    "SELECT f.part, f.name, f.records, f.bytes, f.sha256, b.completed_ms, t.total, b.expired_ms FROM consign.batch b"
    " CROSS JOIN LATERAL (SELECT count(*) AS total FROM consign.batch_file n WHERE n.org = b.org AND n.sandbox = b.sandbox"
    " AND n.batch = b.batch) t"
    " LEFT JOIN LATERAL (SELECT * FROM consign.batch_file p WHERE p.org = b.org AND p.sandbox = b.sandbox AND p.batch = b.batch"
    " ORDER BY p.part LIMIT $4::int OFFSET $5::bigint) f ON true" BATCH_WHERE " AND b.batch = $3 ORDER BY f.part",
    5};

const struct stmt STMT_FILE_GET = {
    "file_get",
    "SELECT f.name, f.bytes, f.sha256, b.dataset, b.attempt, b.expired_ms FROM consign.batch b"
    " LEFT JOIN consign.batch_file f ON f.org = b.org AND f.sandbox = b.sandbox AND f.batch = b.batch AND f.part = $4::int"
    BATCH_WHERE " AND b.batch = $3 AND (f.part IS NOT NULL OR b.expired_ms IS NOT NULL)",
    4};

/* What is asked only of a dataset that has no preview: the last two columns. */
#define PREVIEW_NONE(condition)                                                                                        \
    "p.job IS NULL AND EXISTS (SELECT FROM consign.batch b WHERE b.org = d.org AND b.sandbox = d.sandbox"              \
    " AND b.dataset = d.dataset AND b.kind = 'export' AND b.status = 'success' AND b.expired_ms IS " condition ")"

const struct stmt STMT_DATASET_PREVIEW = {
    "dataset_preview",
    "SELECT d.class, p.job, p.total, p.shown, p.body, " PREVIEW_NONE("NULL") ", " PREVIEW_NONE("NOT NULL")
    " FROM consign.dataset d LEFT JOIN consign.dataset_preview p USING (org, sandbox, dataset)"
    " WHERE d.org = $1::int AND d.sandbox = $2::int AND d.dataset = $3",
    3};

const struct stmt STMT_ERROR_LIST = {
    "error_list",
    "SELECT e.file, e.line, e.byte_offset, e.code, e.reason, e.record, t.total, b.expired_ms FROM consign.batch b"
    " CROSS JOIN LATERAL (SELECT count(*) AS total FROM consign.batch_error n WHERE n.org = b.org AND n.sandbox = b.sandbox"
    " AND n.batch = b.batch) t"
    " LEFT JOIN LATERAL (SELECT * FROM consign.batch_error p WHERE p.org = b.org AND p.sandbox = b.sandbox AND p.batch = b.batch"
    " ORDER BY p.number LIMIT $4::int OFFSET $5::bigint) e ON true" BATCH_WHERE " AND b.batch = $3 ORDER BY e.number",
    5};
