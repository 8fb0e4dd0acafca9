/*
 * lake_objects: published batches as objects of an object store (core/objects). See lake_store.h.
 *
 * Objects have no directories: nothing is ever empty, and a name is there as long as something begins with it. A list is a
 * request, so the sweep's look at a batch costs one, and removing a file another.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/ident.h"
#include "core/objects.h"
#include "export/manifest.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/str.h"
#include "spooler/lake_store.h"

#define LAKE_SWEEP_MS 5000 /* of one look of a sweep, and how long none of what it removes may take to go */

static bool lake_objects_stopping(void *arg)
{
    (void)arg;
    return pool_worker_stopping();
}

/* For a sweep, which has other things to do. */
static struct objects_patience lake_objects_short(void)
{
    return (struct objects_patience){.stop = {lake_objects_stopping, NULL}, .until_ms = clock_monotonic_ms() + LAKE_SWEEP_MS};
}

/* What a sweep's call came to. The store was asked several times before it is FAULT_DISK. */
static enum fault lake_objects_outcome(enum fault fault)
{
    bool late = fault == FAULT_STOPPED && !pool_worker_stopping();
    return late || fault == FAULT_DISK ? FAULT_NOT_READY : fault;
}

/* "<attempt's place>/<file>"; `file` "": with the slash, as a prefix. */
static enum fault lake_objects_key(char out[LAKE_PATH_MAX], const struct lake_batch *batch, const char *attempt, const char *file)
{
    enum fault fault = lake_attempt_relative(out, batch, attempt);
    size_t length = strlen(out);
    if (fault != FAULT_NONE)
        return fault;
    int added = snprintf(out + length, LAKE_PATH_MAX - length, "/%s", file);
    return added > 0 && (size_t)added < LAKE_PATH_MAX - length ? FAULT_NONE : FAULT_INTERNAL;
}

/* What a client that reads the store itself sees; our own clients are told by the pool. */
static const char *lake_objects_type(const char *name)
{
    size_t length = strlen(name);
    if (strcmp(name, MANIFEST_NAME) == 0)
        return "application/json";
    return length > 8 && strcmp(name + length - 8, ".parquet") == 0 ? "application/parquet" : "application/x-ndjson";
}

static enum fault lake_objects_publish_file(const struct lake_set *set, const struct part_description *part,
                                       const struct objects_patience *p)
{
    char key[LAKE_PATH_MAX], path[2 * LAKE_PATH_MAX];
    enum fault fault = lake_objects_key(key, &set->batch, set->attempt, part->name);
    snprintf(path, sizeof path, "%s/%s", set->from, part->name);
    if (fault != FAULT_NONE)
        return fault;
    struct objects_file file = {.fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
                                .bytes = part->bytes,
                                .sha256 = part->sha256,
                                .type = lake_objects_type(part->name)};
    if (file.fd < 0) {
        log_event(LOG_ERROR, "object_store", "key=%s reason=\"the file is gone\"", log_quote(key));
        return FAULT_DISK;
    }
    fault = objects_upload(key, &file, p);
    close(file.fd);
    return fault;
}

static enum fault lake_objects_publish(const struct lake_set *set, struct watch *watch)
{
    struct objects_patience p = {.stop = {watch_stops, watch}};
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; fault == FAULT_NONE && i < set->files; i++)
        fault = lake_objects_publish_file(set, &set->file[i].part, &p);
    if (fault == FAULT_NONE)
        fault = lake_objects_publish_file(set, &set->manifest, &p);
    return fault == FAULT_NONE ? watch_tick(watch) : watch_reason(watch, fault);
}

/* Removes all of an attempt in a batch. */
static enum fault lake_objects_remove_place(const struct lake_batch *batch, const char *attempt, const struct objects_patience *p)
{
    char prefix[LAKE_PATH_MAX];
    int64_t removed;
    enum fault fault = lake_objects_key(prefix, batch, attempt, "");
    return fault == FAULT_NONE ? objects_remove_all(prefix, p, &removed) : fault;
}

/* Removes what has a prefix, for a sweep. */
static enum fault lake_objects_sweep_away(const char *prefix, int64_t until_ms)
{
    struct objects_patience p = lake_objects_short();
    int64_t removed = 0;
    p.each_ms = LAKE_SWEEP_MS;
    if (until_ms > p.until_ms)
        p.until_ms = until_ms;
    enum fault fault = objects_remove_all(prefix, &p, &removed);
    if (fault != FAULT_STOPPED || pool_worker_stopping())
        return lake_objects_outcome(fault);
    fault = removed > 0 ? FAULT_OVERLOADED : FAULT_NOT_READY;
    log_event(LOG_WARN, "left_behind", "path=%s removed=%lld reason=\"%s\"", log_quote(prefix), (long long)removed,
              fault_row(fault)->name);
    return fault;
}

static void lake_objects_retract(const struct lake_set *set, int64_t until_ms)
{
    struct objects_patience p = {.until_ms = until_ms};
    enum fault fault = lake_objects_remove_place(&set->batch, set->attempt, &p);
    if (fault != FAULT_NONE)
        log_event(LOG_WARN, "left_behind", "attempt=%s reason=\"%s\"", set->attempt, fault_row(fault)->name);
}

static enum fault lake_objects_remove_attempt(const struct lake_batch *batch, const char *attempt, bool keep_batch,
                                         struct watch *watch, int64_t until_ms)
{
    char prefix[LAKE_PATH_MAX];
    (void)keep_batch;
    if (watch == NULL) {
        enum fault fault = lake_objects_key(prefix, batch, attempt, "");
        return fault == FAULT_NONE ? lake_objects_sweep_away(prefix, until_ms) : fault;
    }
    struct objects_patience p = {.stop = {watch_stops, watch}};
    return watch_reason(watch, lake_objects_remove_place(batch, attempt, &p));
}

static enum fault lake_objects_remove_batch(const struct lake_batch *batch, int64_t until_ms)
{
    char prefix[LAKE_PATH_MAX];
    enum fault fault = lake_batch_relative(prefix, batch);
    size_t length = strlen(prefix);
    if (fault != FAULT_NONE || length + 2 > sizeof prefix)
        return FAULT_INTERNAL;
    memcpy(prefix + length, "/", 2);
    return lake_objects_sweep_away(prefix, until_ms);
}

/* ---- names ---- */

struct lake_objects_names {
    struct sweep_names *out;
    bool (*good)(const char *name);
};

static bool lake_objects_note(void *arg, const char *name, bool more)
{
    struct lake_objects_names *n = arg;
    if (!more || !n->good(name))
        return true;
    if (n->out->count == SWEEP_NAMES_MOST) {
        n->out->more = true;
        return false;
    }
    str_copy_fitting(n->out->name[n->out->count++], SWEEP_NAME_MAX, name);
    return true;
}

static enum fault lake_objects_names(struct sweep_names *out, const char *relative, const char *after,
                                     bool (*good)(const char *name))
{
    struct lake_objects_names n = {.out = out, .good = good};
    struct objects_patience p = lake_objects_short();
    char directory[LAKE_PATH_MAX];
    out->count = 0;
    out->more = false;
    if (snprintf(directory, sizeof directory, "%s/", relative) >= (int)sizeof directory)
        return FAULT_INTERNAL;
    return lake_objects_outcome(objects_list(directory, after, lake_objects_note, &n, &p));
}

static void lake_objects_remove_empty(const char *relative)
{
    (void)relative;
}

/* ---- uploads that nobody ends ---- */

struct lake_objects_unfinished {
    enum fault (*live)(void *arg, const char *attempt, bool *yes);
    void *arg;
    int64_t removed;
    enum fault left; /* why one stays */
    struct objects_patience p;
};

/* The attempt in a key org/sandbox/dataset/batch/attempt/file; false: the key is none of ours. */
static bool lake_objects_attempt(const char *key, char out[IDENT_UUID_LENGTH + 1])
{
    for (unsigned i = 1; key != NULL && i < LAKE_LEVELS; i++) {
        key = strchr(key, '/');
        key = key == NULL ? NULL : key + 1;
    }
    if (key == NULL || strlen(key) <= IDENT_UUID_LENGTH || key[IDENT_UUID_LENGTH] != '/')
        return false;
    memcpy(out, key, IDENT_UUID_LENGTH);
    out[IDENT_UUID_LENGTH] = '\0';
    return ident_is_uuid(out);
}

static enum fault lake_objects_end_one(void *arg, const char *key, const char *upload)
{
    struct lake_objects_unfinished *u = arg;
    char attempt[IDENT_UUID_LENGTH + 1];
    bool live = true;
    if (!lake_objects_attempt(key, attempt))
        return FAULT_NONE;
    enum fault fault = u->live(u->arg, attempt, &live);
    if (fault != FAULT_NONE || live)
        return fault;
    fault = objects_abort(key, upload, &u->p);
    if (fault == FAULT_NONE) {
        u->removed++;
        log_event(LOG_INFO, "swept", "step=attempts upload=%s", log_quote(key));
    }
    return objects_go_on(fault, &u->left, &u->p);
}

/* Listed first and asked then: an attempt is entered before it begins an upload. */
static enum fault lake_objects_end_unfinished(enum fault (*live)(void *arg, const char *attempt, bool *yes), void *arg,
                                         int64_t *removed)
{
    struct lake_objects_unfinished u = {.live = live, .arg = arg, .p = lake_objects_short()};
    enum fault fault = objects_uploads("", lake_objects_end_one, &u, &u.p);
    *removed += u.removed;
    return lake_objects_outcome(fault == FAULT_NONE ? u.left : fault);
}

const struct lake_store LAKE_OBJECTS = {.publish = lake_objects_publish,
                                        .retract = lake_objects_retract,
                                        .remove_attempt = lake_objects_remove_attempt,
                                        .remove_batch = lake_objects_remove_batch,
                                        .names = lake_objects_names,
                                        .remove_empty = lake_objects_remove_empty,
                                        .end_unfinished = lake_objects_end_unfinished};
