/*
 * publish: makes what an attempt wrote the job's result. See publish.h.
 */
#include "spooler/publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "export/manifest.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/tree.h"

#define PUBLISH_LIST_BYTES (64u * 1024u * 1024u)
#define PUBLISH_FIGURES_BYTES (2u * 1024u * 1024u)
#define PUBLISH_ASK_MS 30000
#define PUBLISH_ASK_PAUSE_MS 200

/* [{batch, name, rows, bytes, sha256}, ...] */
static void publish_list_files(const struct publish_order *o, struct str *out)
{
    str_append_char(out, '[');
    for (uint32_t i = 0; i < o->parcel->files; i++) {
        const struct run_file *file = &o->parcel->file[i];
        str_printf(out, "%s{\"batch\":\"%s\",\"name\":", i == 0 ? "" : ",", o->batches->batch[file->target]);
        str_append_json(out, file->part.name, strlen(file->part.name));
        str_printf(out, ",\"rows\":%llu,\"bytes\":%llu,\"sha256\":\"%s\"}", (unsigned long long)file->part.rows,
                   (unsigned long long)file->part.bytes, file->part.sha256);
    }
    str_append_char(out, ']');
}

/* The transaction, with its texts made. */
static enum fault publish_commit(const struct publish_order *o, const char *files, const char *namespaces,
                                 const char *skipped)
{
    struct lease *l = o->lease;
    struct arena *a = l->arena;
    const struct run_result *r = o->result;
    char push[CRYPTO_UUID_TEXT];
    crypto_uuid(push);
    const char *params[] = {arena_int(a, l->org),
                            arena_int(a, l->sandbox),
                            arena_int(a, l->job),
                            l->batch,
                            l->attempt,
                            push,
                            files,
                            arena_int(a, r->profiles),
                            arena_int(a, r->events),
                            namespaces,
                            skipped,
                            arena_int(a, r->watermark_ms),
                            arena_int(a, r->end_ms),
                            arena_int(a, r->end_ms)};
    return arena_exhausted(a) ? FAULT_MEMORY : db_call(l->db, a, l->org, &STMT_JOB_PUBLISH, params, NULL);
}

static enum fault publish_tell(const struct publish_order *o)
{
    struct str files = STR_INIT(PUBLISH_LIST_BYTES), namespaces = STR_INIT(PUBLISH_FIGURES_BYTES),
               skipped = STR_INIT(PUBLISH_FIGURES_BYTES);
    enum fault fault = FAULT_MEMORY;
    publish_list_files(o, &files);
    run_print_namespaces(o->result, &namespaces);
    run_print_skipped(o->result, &skipped);
    if (!files.overflow && !namespaces.overflow && !skipped.overflow)
        fault = publish_commit(o, files.data, namespaces.data, skipped.data);
    str_free(&files);
    str_free(&namespaces);
    str_free(&skipped);
    return fault;
}

/* The connection went in the middle of the transaction: it may have been committed or not. Asks until
 * the database answers, or time is up. */
static enum fault publish_find_out(struct lease *l)
{
    int64_t deadline = clock_monotonic_ms() + PUBLISH_ASK_MS;
    struct lease_batch batch;
    enum fault fault;
    while ((fault = lease_look(l, &batch)) != FAULT_NONE && clock_monotonic_ms() < deadline && !pool_worker_stopping())
        pool_worker_wait(-1, PUBLISH_ASK_PAUSE_MS);
    if (fault != FAULT_NONE)
        return FAULT_DB_UNAVAILABLE;
    if (batch.published && strcmp(batch.winner, l->attempt) == 0)
        return FAULT_NONE;
    /* while the entry names us the transaction may still be under way in the server */
    return batch.held ? FAULT_DB_UNAVAILABLE : FAULT_LEASE_LOST;
}

/* Writes the manifest of one batch from its files, which stand together from *first on, and makes its directory
 * durable. */
static enum fault publish_write_manifest(const struct publish_order *o, uint32_t target, uint32_t *first)
{
    const struct parcel *p = o->parcel;
    struct manifest manifest = {
        .job = o->lease->job, .batch = o->batches->batch[target], .watermark_ms = o->result->watermark_ms};
    struct part_description *part = calloc(p->files + 1, sizeof *part);
    char path[LAKE_PATH_MAX];
    if (part == NULL)
        return FAULT_MEMORY;
    for (; *first < p->files && p->file[*first].target == target; ++*first) {
        part[manifest.parts++] = p->file[*first].part;
        manifest.rows += p->file[*first].part.rows;
    }
    manifest.part = part;
    enum fault fault = manifest_write(o->place->target[target].directory, &manifest, NULL);
    free(part);
    if (fault == FAULT_NONE)
        fault = workplace_path(path, o->lease->attempt, NULL, target, NULL);
    return fault == FAULT_NONE ? tree_sync(path) : fault;
}

/* The work directory of a batch and its final place. */
static enum fault publish_paths(const struct publish_order *o, uint32_t target, char from[LAKE_PATH_MAX],
                                char to[LAKE_PATH_MAX], char above[LAKE_PATH_MAX])
{
    const struct lease *l = o->lease;
    const char *root = conf_text(CONF_LAKE_DIR);
    struct lake_batch place = {
        .org = l->org, .sandbox = l->sandbox, .dataset = o->dataset, .batch = o->batches->batch[target]};
    enum fault fault = workplace_path(from, l->attempt, NULL, target, NULL);
    if (fault == FAULT_NONE)
        fault = lake_attempt_path(to, root, &place, l->attempt);
    return fault == FAULT_NONE ? lake_batch_path(above, root, &place) : fault;
}

/* Takes back what was moved to its final place: to where the runner removes it, and the sweep what the
 * runner could not. */
static void publish_undo(const struct publish_order *o)
{
    char from[LAKE_PATH_MAX], to[LAKE_PATH_MAX], above[LAKE_PATH_MAX];
    for (uint32_t i = 0; i < o->batches->count; i++) {
        if (publish_paths(o, i, from, to, above) != FAULT_NONE)
            continue;
        if (rename(to, from) != 0 && errno != ENOENT)
            log_event(LOG_WARN, "left_behind", "attempt=%s reason=\"%s\"", o->lease->attempt, strerror(errno));
        (void)rmdir(above); /* stays when another attempt's files are in it */
    }
}

static enum fault publish_move(const struct publish_order *o)
{
    char from[LAKE_PATH_MAX], to[LAKE_PATH_MAX], above[LAKE_PATH_MAX];
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < o->batches->count; i++) {
        fault = publish_paths(o, i, from, to, above);
        if (fault == FAULT_NONE)
            fault = tree_move(from, to, LAKE_LEVELS);
        if (fault == FAULT_NONE)
            fault = watch_tick(o->watch);
    }
    return fault;
}

/* Writes all manifests and brings all batches to their final places. */
static enum fault publish_prepare(const struct publish_order *o)
{
    uint32_t first = 0;
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < o->batches->count; i++) {
        fault = publish_write_manifest(o, i, &first);
        if (fault == FAULT_NONE)
            fault = watch_tick(o->watch);
    }
    return fault == FAULT_NONE ? publish_move(o) : fault;
}

enum fault publish_job(const struct publish_order *o, bool *unsure)
{
    enum fault fault = publish_prepare(o);
    *unsure = false;
    if (fault == FAULT_NONE) {
        fault = publish_tell(o);
        if (fault == FAULT_DB_UNAVAILABLE)
            fault = publish_find_out(o->lease);
        *unsure = fault == FAULT_DB_UNAVAILABLE;
    }
    /* SECURITY: nothing is removed that may have been published */
    if (fault != FAULT_NONE && !*unsure)
        publish_undo(o);
    return fault;
}
