/*
 * lake: where the files of exports lie. See lake.h.
 */
#include "core/lake.h"

#include <stdbool.h>
#include <stdio.h>

#include "core/ident.h"
#include "lib/log.h"

/* Answers for a path that snprintf() wrote with this length from ids that were good or not. */
static enum fault lake_made(char *out, bool good, int length)
{
    if (good && length > 0 && length < LAKE_PATH_MAX)
        return FAULT_NONE;
    out[0] = '\0';
    log_event(LOG_ERROR, "lake_path", "reason=%s", good ? "length" : "id");
    return FAULT_INTERNAL;
}

static bool lake_batch_good(const struct lake_batch *b)
{
    return b->org > 0 && b->sandbox > 0 && ident_is_hex(b->dataset, IDENT_DATASET_DIGITS) &&
           ident_is_hex(b->batch, IDENT_BATCH_DIGITS);
}

enum fault lake_attempt_relative(char out[LAKE_PATH_MAX], const struct lake_batch *batch, const char *attempt)
{
    bool good = lake_batch_good(batch) && ident_is_uuid(attempt);
    int length = !good ? 0
                       : snprintf(out, LAKE_PATH_MAX, "%d/%d/%s/%s/%s", batch->org, batch->sandbox, batch->dataset,
                                  batch->batch, attempt);
    return lake_made(out, good, length);
}

enum fault lake_batch_relative(char out[LAKE_PATH_MAX], const struct lake_batch *batch)
{
    bool good = lake_batch_good(batch);
    int length = !good ? 0
                       : snprintf(out, LAKE_PATH_MAX, "%d/%d/%s/%s", batch->org, batch->sandbox, batch->dataset, batch->batch);
    return lake_made(out, good, length);
}

enum fault lake_attempt_path(char out[LAKE_PATH_MAX], const char *root, const struct lake_batch *batch,
                             const char *attempt)
{
    bool good = lake_batch_good(batch) && ident_is_uuid(attempt);
    int length = !good ? 0
                       : snprintf(out, LAKE_PATH_MAX, "%s/%d/%d/%s/%s/%s", root, batch->org, batch->sandbox,
                                  batch->dataset, batch->batch, attempt);
    return lake_made(out, good, length);
}

enum fault lake_batch_path(char out[LAKE_PATH_MAX], const char *root, const struct lake_batch *batch)
{
    bool good = lake_batch_good(batch);
    int length = !good ? 0
                       : snprintf(out, LAKE_PATH_MAX, "%s/%d/%d/%s/%s", root, batch->org, batch->sandbox,
                                  batch->dataset, batch->batch);
    return lake_made(out, good, length);
}

enum fault lake_work_path(char out[LAKE_PATH_MAX], const char *root, const char *attempt)
{
    bool good = ident_is_uuid(attempt);
    int length = !good ? 0 : snprintf(out, LAKE_PATH_MAX, "%s/tmp/%s", root, attempt);
    return lake_made(out, good, length);
}
