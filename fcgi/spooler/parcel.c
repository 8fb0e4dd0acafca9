/*
 * parcel: the files of a job in one place. See parcel.h.
 */
#include "spooler/parcel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stmt_spooler.h"
#include "lib/log.h"
#include "spooler/session.h"
#include "spooler/workplace.h"

#define PARCEL_PREFIX "part-"
#define PARCEL_DIGITS 5u /* of a part's number in its name */

/* Gives a file its number and brings it to the attempt's directory; `helper` NULL: it is there. */
static enum fault parcel_place(const struct lease *l, const char *helper, struct run_file *file, uint32_t number)
{
    char from[LAKE_PATH_MAX], to[LAKE_PATH_MAX], name[PART_NAME_BYTES];
    const char *rest = file->part.name + sizeof PARCEL_PREFIX - 1 + PARCEL_DIGITS;
    int length = snprintf(name, sizeof name, PARCEL_PREFIX "%05" PRIu32 "%s", number, rest);
    if (length < 0 || (size_t)length >= sizeof name)
        return FAULT_INTERNAL;
    if (helper == NULL && strcmp(name, file->part.name) == 0)
        return FAULT_NONE;
    enum fault fault = workplace_path(from, l->attempt, helper, file->target, file->part.name);
    if (fault == FAULT_NONE)
        fault = workplace_path(to, l->attempt, NULL, file->target, name);
    if (fault != FAULT_NONE)
        return fault;
    if (rename(from, to) != 0) {
        log_event(LOG_ERROR, "parcel", "file=%s reason=\"%s\"", file->part.name, strerror(errno));
        return FAULT_DISK;
    }
    memcpy(file->part.name, name, sizeof name);
    return FAULT_NONE;
}

/* SECURITY: the rows are our own, and become paths all the same: no slash, and the form of a part's name. */
static bool parcel_name_good(const char *name)
{
    size_t prefix = sizeof PARCEL_PREFIX - 1;
    return strncmp(name, PARCEL_PREFIX, prefix) == 0 &&
           strspn(name + prefix, "0123456789") == PARCEL_DIGITS && strchr(name, '/') == NULL &&
           strlen(name) < PART_NAME_BYTES;
}

/* One row of STMT_HELP_FILES: helper, target, name, rows, bytes, sha256. */
static enum fault parcel_read_row(const struct db_rows *rows, int row, struct run_file *out)
{
    const char *name = db_text(rows, row, 2), *sha256 = db_text(rows, row, 5);
    int64_t target = db_int(rows, row, 1);
    if (!parcel_name_good(name) || strlen(sha256) >= sizeof out->part.sha256 || target < 0 ||
        target >= RUN_TARGETS_MAX) {
        log_event(LOG_ERROR, "helper_file", "name=%s", log_quote(name));
        return FAULT_INTERNAL;
    }
    *out = (struct run_file){.target = (uint32_t)target,
                             .part.rows = (uint64_t)db_int(rows, row, 3),
                             .part.bytes = (uint64_t)db_int(rows, row, 4)};
    snprintf(out->part.name, sizeof out->part.name, "%s", name);
    snprintf(out->part.sha256, sizeof out->part.sha256, "%s", sha256);
    return FAULT_NONE;
}

/* Where the file came from stays with it while they are sorted. */
struct parcel_item {
    struct run_file file;
    uint32_t order;
    const char *helper; /* NULL: the attempt itself */
};

static int parcel_compare(const void *a, const void *b)
{
    const struct parcel_item *x = a, *y = b;
    int order = (x->file.target > y->file.target) - (x->file.target < y->file.target);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

static enum fault parcel_fill(struct parcel_item *item, const struct run_result *own, const struct db_rows *rows)
{
    enum fault fault = FAULT_NONE;
    for (uint32_t i = 0; i < own->files; i++)
        item[i] = (struct parcel_item){.file = own->file[i], .order = i};
    for (int row = 0; fault == FAULT_NONE && row < rows->count; row++) {
        struct parcel_item *one = &item[own->files + (uint32_t)row];
        one->order = own->files + (uint32_t)row;
        one->helper = db_text(rows, row, 0);
        fault = parcel_read_row(rows, row, &one->file);
    }
    return fault;
}

static enum fault parcel_number(struct parcel *p, const struct lease *l, struct parcel_item *item, uint32_t count)
{
    uint32_t number = 0;
    enum fault fault = FAULT_NONE;
    qsort(item, count, sizeof *item, parcel_compare);
    for (uint32_t i = 0; fault == FAULT_NONE && i < count; i++) {
        number = i > 0 && item[i].file.target == item[i - 1].file.target ? number + 1 : 0;
        fault = parcel_place(l, item[i].helper, &item[i].file, number);
        p->file[p->files++] = item[i].file;
    }
    return fault;
}

enum fault parcel_collect(struct parcel *p, struct lease *l, const struct run_result *own)
{
    struct arena *a = l->arena;
    struct db_rows rows;
    const char *params[] = {arena_int(a, l->org), arena_int(a, l->sandbox), arena_int(a, l->job)};
    if (arena_exhausted(a))
        return FAULT_MEMORY;
    enum fault fault = session_insist(l->db, a, l->org, &STMT_HELP_FILES, params, &rows);
    if (fault != FAULT_NONE)
        return fault;
    uint32_t count = own->files + (uint32_t)rows.count;
    struct parcel_item *item = calloc(count + 1, sizeof *item);
    p->file = calloc(count + 1, sizeof *p->file);
    if (item == NULL || p->file == NULL)
        fault = FAULT_MEMORY;
    if (fault == FAULT_NONE)
        fault = parcel_fill(item, own, &rows);
    if (fault == FAULT_NONE)
        fault = parcel_number(p, l, item, count);
    free(item);
    return fault;
}

void parcel_free(struct parcel *p)
{
    free(p->file);
    *p = PARCEL_INIT;
}
