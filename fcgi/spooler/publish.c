/*
 * publish: makes what an attempt wrote the job's result. See publish.h.
 */
#include "spooler/publish.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/stmt_spooler.h"
#include "export/manifest.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "spooler/tree.h"

#define PUBLISH_LIST_BYTES (64u * 1024u * 1024u)
#define PUBLISH_ASK_MS 30000
#define PUBLISH_ASK_PAUSE_MS 200

/* [{name, rows, bytes, sha256}, ...] */
static void publish_list_files(const struct sink *sink, struct str *out)
{
    str_append_char(out, '[');
    for (uint32_t i = 0; i < sink->parts; i++) {
        const struct part_description *part = &sink->part[i];
        str_append_text(out, i == 0 ? "{\"name\":" : ",{\"name\":");
        str_append_json(out, part->name, strlen(part->name));
        str_printf(out, ",\"rows\":%llu,\"bytes\":%llu,\"sha256\":\"%s\"}", (unsigned long long)part->rows,
                   (unsigned long long)part->bytes, part->sha256);
    }
    str_append_char(out, ']');
}

/* The transaction. */
static enum fault publish_tell(const struct publish_order *o)
{
    struct lease *l = o->lease;
    struct arena *a = l->arena;
    const struct run_result *r = o->result;
    struct str files = STR_INIT(PUBLISH_LIST_BYTES);
    char push[CRYPTO_UUID_TEXT];
    crypto_uuid(push);
    publish_list_files(r->sink, &files);
    const char *params[] = {arena_int(a, l->org),
                            arena_int(a, l->sandbox),
                            arena_int(a, l->job),
                            l->batch,
                            l->attempt,
                            push,
                            files.data,
                            arena_int(a, r->rows),
                            arena_int(a, r->events),
                            r->by_namespace.data,
                            r->skipped.length > 0 ? r->skipped.data : NULL,
                            arena_int(a, r->watermark_ms),
                            arena_int(a, r->read_end_ms),
                            arena_int(a, r->read_end_ms)};
    enum fault fault = FAULT_MEMORY;
    if (!files.overflow && !arena_exhausted(a))
        fault = db_call(l->db, a, l->org, &STMT_JOB_PUBLISH, params, NULL);
    str_free(&files);
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

static enum fault publish_write_manifest(const struct publish_order *o)
{
    const struct run_result *r = o->result;
    struct manifest manifest = {.job = o->lease->job,
                                .batch = o->lease->batch,
                                .watermark_ms = r->watermark_ms,
                                .rows = r->sink->rows,
                                .part = r->sink->part,
                                .parts = r->sink->parts};
    enum fault fault = manifest_write(o->directory, &manifest, NULL);
    return fault == FAULT_NONE ? tree_sync(o->work) : fault;
}

/* Takes back what was moved to its final place: to where the runner removes it, and the sweep what the
 * runner could not. */
static void publish_undo(const struct publish_order *o, const struct lake_batch *place, const char *target)
{
    char above[LAKE_PATH_MAX];
    if (rename(target, o->work) != 0 && errno != ENOENT)
        log_event(LOG_WARN, "left_behind", "attempt=%s reason=\"%s\"", o->lease->attempt, strerror(errno));
    if (lake_batch_path(above, o->root, place) == FAULT_NONE)
        (void)rmdir(above); /* stays when another attempt's files are in it */
}

enum fault publish_batch(const struct publish_order *o)
{
    const struct lease *l = o->lease;
    struct lake_batch place = {.org = l->org, .sandbox = l->sandbox, .dataset = o->dataset, .batch = l->batch};
    char target[LAKE_PATH_MAX];
    enum fault fault = lake_attempt_path(target, o->root, &place, l->attempt);
    if (fault == FAULT_NONE)
        fault = publish_write_manifest(o);
    if (fault != FAULT_NONE)
        return fault; /* the runner removes the work directory */
    fault = tree_move(o->work, target, LAKE_LEVELS);
    if (fault == FAULT_NONE) {
        fault = publish_tell(o);
        if (fault == FAULT_DB_UNAVAILABLE)
            fault = publish_find_out(o->lease);
    }
    /* SECURITY: nothing is removed that may have been published */
    if (fault != FAULT_NONE && fault != FAULT_DB_UNAVAILABLE)
        publish_undo(o, &place, target);
    return fault;
}
