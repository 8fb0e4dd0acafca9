/*
 * publish: makes what an attempt wrote the job's result. See publish.h.
 */
#include "spooler/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stmt_spooler.h"
#include "export/manifest.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/lake_store.h"
#include "spooler/session.h"
#include "spooler/tree.h"

#define PUBLISH_LIST_BYTES (64u * 1024u * 1024u)
#define PUBLISH_FIGURES_BYTES (2u * 1024u * 1024u)
#define PUBLISH_ASK_MS 60000
#define PUBLISH_ASK_PAUSE_MS 200
#define PUBLISH_UNDO_MS 1000

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

/* The connection went in the middle of the transaction, and somebody else has the job by now, or the job its end: by us?
 * Asks until the database answers, or time is up. */
static enum fault publish_find_out(struct lease *l)
{
    int64_t deadline = clock_monotonic_ms() + PUBLISH_ASK_MS;
    struct lease_batch batch;
    enum fault fault;
    while ((fault = lease_look(l, &batch)) != FAULT_NONE && clock_monotonic_ms() < deadline && !pool_worker_stopping())
        pool_worker_wait(-1, PUBLISH_ASK_PAUSE_MS);
    if (fault != FAULT_NONE)
        return FAULT_DB_UNAVAILABLE;
    return batch.published && strcmp(batch.winner, l->attempt) == 0 ? FAULT_NONE : FAULT_LEASE_LOST;
}

/* The transaction. One whose connection went may have been committed or not, or still be under way: it is told again, at once
 * first, because others look for work whose session is gone. That waits for the one under way at the entry's row.
 * SECURITY: after such a doubt three answers are sure, because the one before gets none but them any more: it was published, the
 * entry is not ours any more, the job was cancelled. */
static enum fault publish_commit(struct lease *l, const char *const *params, bool *unsure)
{
    const int64_t deadline = clock_monotonic_ms() + PUBLISH_ASK_MS;
    enum fault fault = session_insist(l->db, l->arena, l->org, &STMT_JOB_PUBLISH, params, NULL);
    const bool doubt = fault == FAULT_DB_UNAVAILABLE;
    for (int tries = 0; fault == FAULT_DB_UNAVAILABLE &&
                        (tries == 0 || (clock_monotonic_ms() < deadline && !pool_worker_stopping())); tries++) {
        if (tries > 0)
            pool_worker_wait(-1, PUBLISH_ASK_PAUSE_MS);
        fault = session_insist(l->db, l->arena, l->org, &STMT_JOB_PUBLISH, params, NULL);
    }
    if (doubt && fault == FAULT_LEASE_LOST)
        fault = publish_find_out(l);
    *unsure = doubt && fault != FAULT_NONE && fault != FAULT_LEASE_LOST && fault != FAULT_CANCELLED;
    return *unsure ? FAULT_DB_UNAVAILABLE : fault;
}

/* The same with its texts made. */
static enum fault publish_tell(const struct publish_order *o, bool *unsure)
{
    struct str files = STR_INIT(PUBLISH_LIST_BYTES), namespaces = STR_INIT(PUBLISH_FIGURES_BYTES),
               skipped = STR_INIT(PUBLISH_FIGURES_BYTES);
    struct lease *l = o->lease;
    struct arena *a = l->arena;
    const struct run_result *r = o->result;
    enum fault fault = FAULT_MEMORY;
    char push[CRYPTO_UUID_TEXT];
    crypto_uuid(push);
    publish_list_files(o, &files);
    run_print_namespaces(r, &namespaces);
    run_print_skipped(r, &skipped);
    const char *params[] = {arena_int(a, l->org),
                            arena_int(a, l->sandbox),
                            arena_int(a, l->job),
                            l->batch,
                            l->attempt,
                            push,
                            files.data,
                            arena_int(a, r->profiles),
                            arena_int(a, r->events),
                            namespaces.data,
                            skipped.data,
                            arena_int(a, r->watermark_ms),
                            arena_int(a, r->end_ms),
                            arena_int(a, r->end_ms),
                            preview_text(r->preview)};
    if (!files.overflow && !namespaces.overflow && !skipped.overflow && !arena_exhausted(a))
        fault = publish_commit(l, params, unsure);
    str_free(&files);
    str_free(&namespaces);
    str_free(&skipped);
    return fault;
}

/* Writes the manifest of one batch from its files, which stand together from *first on, and makes its directory
 * durable; describes it all in *set. */
static enum fault publish_write_manifest(const struct publish_order *o, uint32_t target, uint32_t *first, struct lake_set *set)
{
    const struct parcel *p = o->parcel;
    const struct lease *l = o->lease;
    struct manifest manifest = {.job = l->job, .batch = o->batches->batch[target], .watermark_ms = o->result->watermark_ms};
    struct part_description *part = calloc(p->files + 1, sizeof *part);
    if (part == NULL)
        return FAULT_MEMORY;
    *set = (struct lake_set){
        .batch = {.org = l->org, .sandbox = l->sandbox, .dataset = o->dataset, .batch = o->batches->batch[target]},
        .attempt = l->attempt,
        .file = p->file + *first};
    for (; *first < p->files && p->file[*first].target == target; ++*first) {
        part[manifest.parts++] = p->file[*first].part;
        manifest.rows += p->file[*first].part.rows;
    }
    manifest.part = part;
    set->files = manifest.parts;
    enum fault fault = manifest_write(o->place->target[target].directory, &manifest, &set->manifest);
    free(part);
    if (fault == FAULT_NONE)
        fault = workplace_path(set->from, l->attempt, NULL, target, NULL);
    return fault == FAULT_NONE ? tree_sync(set->from) : fault;
}

/* Writes all manifests, and brings all batches to their published places then; *begun says of how many that was begun. */
static enum fault publish_prepare(const struct publish_order *o, struct lake_set *set, uint32_t *begun)
{
    uint32_t first = 0;
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < o->batches->count; i++) {
        fault = publish_write_manifest(o, i, &first, &set[i]);
        if (fault == FAULT_NONE)
            fault = watch_tick(o->watch);
    }
    for (; fault == FAULT_NONE && *begun < o->batches->count; ++*begun)
        fault = lake_store()->publish(&set[*begun], o->watch);
    return fault;
}

/* Takes back what was brought to its published place. A job that was cancelled is told so after it. */
static void publish_undo(const struct lake_set *set, uint32_t begun)
{
    int64_t until_ms = clock_monotonic_ms() + PUBLISH_UNDO_MS;
    for (uint32_t i = 0; i < begun; i++)
        lake_store()->retract(&set[i], until_ms);
}

enum fault publish_job(const struct publish_order *o, bool *unsure)
{
    *unsure = false;
    uint32_t begun = 0;
    struct lake_set *set = calloc(o->batches->count + 1, sizeof *set);
    if (set == NULL)
        return FAULT_MEMORY;
    enum fault fault = publish_prepare(o, set, &begun);
    if (fault == FAULT_NONE)
        fault = publish_tell(o, unsure);
    /* SECURITY: nothing is removed that may have been published */
    if (fault != FAULT_NONE && !*unsure)
        publish_undo(set, begun);
    free(set);
    return fault;
}
