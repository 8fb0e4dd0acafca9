/*
 * sweep_lake: published places that belong to no published batch, lake/<org>/<sandbox>/<dataset>/<batch>/<attempt>.
 *
 * They come to be when a worker dies between moving a batch's files into place and publishing them and nobody takes the
 * job over (it was cancelled), or between telling that a batch expired and removing its files. The walk sees
 * LAKE_BATCHES batches a sweep and goes on behind them the next time, so it sees a lake of no more than that whole each
 * time. It walks the sandboxes that the database knows, by their numbers. BUGS: those of another database have the same
 * numbers, so two databases must not have one lake (README, Backup and restore).
 * Caller: sweep.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "lib/str.h"
#include "spooler/lake_store.h"
#include "spooler/sweep_names.h"
#include "spooler/sweep_step.h"

#define LAKE_BATCHES 1000  /* a sweep */
#define LAKE_QUESTIONS 200 /* attempts that the database is asked about at once */
#define LAKE_PLACES 500    /* sandboxes that are read at once */
#define LAKE_PLACES_TEXT "500"
#define LAKE_NO_ATTEMPT "-" /* of a batch's directory without any; see lake_dead.sql */

struct lake_question {
    char dataset[IDENT_DATASET_DIGITS + 1];
    char batch[IDENT_BATCH_DIGITS + 1];
    char attempt[IDENT_UUID_LENGTH + 1];
};

struct lake_place {
    int org, sandbox;
};

struct lake_walk {
    struct sweep *s;
    struct lake_place at;                       /* the sandbox it is in */
    char dataset[IDENT_DATASET_DIGITS + 1];     /* and the batch that it saw last */
    char batch[IDENT_BATCH_DIGITS + 1];
    int seen;                                   /* batches */
    bool full;                                  /* it has seen as many as it may */
    bool stuck;                                 /* something of that batch can't be removed */
    int questions;
    struct lake_question question[LAKE_QUESTIONS];
    int places;
    struct lake_place place[LAKE_PLACES];
    struct sweep_names datasets, batches, attempts;
};

/* ---- asking ---- */

/* One column of the questions as an array; ids and "-" need no quotes in it. */
static const char *lake_array(struct lake_walk *w, size_t offset)
{
    struct str text = STR_INIT((size_t)LAKE_QUESTIONS * 64);
    str_append_char(&text, '{');
    for (int i = 0; i < w->questions; i++) {
        if (i > 0)
            str_append_char(&text, ',');
        str_append_text(&text, (const char *)&w->question[i] + offset);
    }
    str_append_char(&text, '}');
    const char *kept = text.overflow ? NULL : arena_copy(w->s->arena, text.data, text.length);
    str_free(&text);
    return kept;
}

static enum fault lake_remove(struct lake_walk *w, const struct lake_question *q, bool awaited)
{
    struct lake_batch where = {.org = w->at.org, .sandbox = w->at.sandbox, .dataset = q->dataset, .batch = q->batch};
    char path[LAKE_PATH_MAX];
    if (strcmp(q->attempt, LAKE_NO_ATTEMPT) == 0) {
        if (!awaited && lake_batch_relative(path, &where) == FAULT_NONE)
            lake_store()->remove_empty(path);
        return FAULT_NONE;
    }
    enum fault fault = lake_attempt_relative(path, &where, q->attempt);
    /* the batch's directory stays for an attempt that may be about to move its files there */
    if (fault == FAULT_NONE)
        fault = lake_store()->remove_attempt(&where, q->attempt, awaited, NULL);
    sweep_removed(w->s, path, fault);
    return fault;
}

/* Asks about all that was noted, and removes what is dead. What can't be removed is no reason to leave the others. When the
 * lake did not answer to that in good time it may answer to none: the walk ends for this time, with the batch, and goes on
 * behind it the next. */
static enum fault lake_ask(struct lake_walk *w)
{
    struct sweep *s = w->s;
    struct db_rows rows;
    if (w->questions == 0)
        return FAULT_NONE;
    const char *params[] = {arena_int(s->arena, w->at.org), arena_int(s->arena, w->at.sandbox),
                            lake_array(w, offsetof(struct lake_question, dataset)),
                            lake_array(w, offsetof(struct lake_question, batch)),
                            lake_array(w, offsetof(struct lake_question, attempt))};
    enum fault fault = arena_exhausted(s->arena) ? FAULT_MEMORY
                                                 : db_call(s->db, s->arena, w->at.org, &STMT_LAKE_DEAD, params, &rows);
    for (int row = 0; fault == FAULT_NONE && row < rows.count; row++) {
        int64_t place = db_int(&rows, row, 0);
        enum fault lake = FAULT_NONE;
        if (place < 1 || place > w->questions)
            continue;
        const struct lake_question *q = &w->question[place - 1];
        if (w->stuck && strcmp(q->batch, w->batch) != 0)
            break;
        lake = lake_remove(w, q, db_bool(&rows, row, 1));
        if (lake == FAULT_NOT_READY && !w->stuck) {
            w->stuck = true;
            str_copy_fitting(w->dataset, sizeof w->dataset, q->dataset);
            str_copy_fitting(w->batch, sizeof w->batch, q->batch);
        } else if (lake == FAULT_STOPPED) {
            fault = lake;
        }
    }
    w->questions = 0;
    arena_reset(s->arena);
    fault = fault == FAULT_NONE ? sweep_go_on() : fault;
    return fault == FAULT_NONE && w->stuck ? FAULT_NOT_READY : fault;
}

static enum fault lake_note(struct lake_walk *w, const char *dataset, const char *batch, const char *attempt)
{
    struct lake_question *q = &w->question[w->questions++];
    str_copy_fitting(q->dataset, sizeof q->dataset, dataset);
    str_copy_fitting(q->batch, sizeof q->batch, batch);
    str_copy_fitting(q->attempt, sizeof q->attempt, attempt);
    return w->questions == LAKE_QUESTIONS ? lake_ask(w) : FAULT_NONE;
}

/* A dataset's directory in which nothing is goes when the dataset has: nobody can publish into it then. */
static enum fault lake_empty_dataset(struct lake_walk *w, const char *path, const char *dataset)
{
    const char *params[] = {arena_int(w->s->arena, w->at.org), arena_int(w->s->arena, w->at.sandbox), dataset};
    bool there;
    enum fault fault = sweep_ask(w->s, w->at.org, &STMT_DATASET_THERE, params, &there, NULL);
    if (fault == FAULT_NONE && !there)
        lake_store()->remove_empty(path);
    return fault;
}

/* ---- walking ---- */

static enum fault lake_batch_walk(struct lake_walk *w, const char *dataset, const char *path, const char *batch)
{
    char below[LAKE_PATH_MAX];
    enum fault fault = FAULT_NONE;
    if (snprintf(below, sizeof below, "%s/%s", path, batch) >= (int)sizeof below)
        return FAULT_INTERNAL;
    fault = lake_store()->names(&w->attempts, below, "", sweep_names_attempt);
    if (fault == FAULT_NONE && w->attempts.count == 0)
        fault = lake_note(w, dataset, batch, LAKE_NO_ATTEMPT);
    for (int i = 0; fault == FAULT_NONE && i < w->attempts.count; i++)
        fault = lake_note(w, dataset, batch, w->attempts.name[i]);
    if (fault != FAULT_NONE)
        return fault;
    str_copy_fitting(w->dataset, sizeof w->dataset, dataset);
    str_copy_fitting(w->batch, sizeof w->batch, batch);
    w->seen++;
    w->full = w->seen >= LAKE_BATCHES || sweep_time_is_up(w->s);
    return fault;
}

/* The batches of a dataset behind `after`. */
static enum fault lake_dataset_walk(struct lake_walk *w, const char *dataset, const char *after)
{
    char path[LAKE_PATH_MAX], last[SWEEP_NAME_MAX];
    enum fault fault = FAULT_NONE;
    if (snprintf(path, sizeof path, "%d/%d/%s", w->at.org, w->at.sandbox, dataset) >= (int)sizeof path)
        return FAULT_INTERNAL;
    str_copy_fitting(last, sizeof last, after);
    do {
        fault = lake_store()->names(&w->batches, path, last, sweep_names_batch);
        if (fault == FAULT_NONE && w->batches.count == 0 && *last == '\0')
            return lake_empty_dataset(w, path, dataset);
        for (int i = 0; fault == FAULT_NONE && !w->full && i < w->batches.count; i++) {
            fault = lake_batch_walk(w, dataset, path, w->batches.name[i]);
            str_copy_fitting(last, sizeof last, w->batches.name[i]);
        }
    } while (fault == FAULT_NONE && !w->full && w->batches.more);
    return fault;
}

/* The sandbox at w->at: the rest of `dataset` behind `batch` ("": all of the sandbox), and the datasets behind it. */
static enum fault lake_place_walk(struct lake_walk *w, const char *dataset, const char *batch)
{
    char path[LAKE_PATH_MAX], last[SWEEP_NAME_MAX];
    enum fault fault = FAULT_NONE;
    if (snprintf(path, sizeof path, "%d/%d", w->at.org, w->at.sandbox) >= (int)sizeof path)
        return FAULT_INTERNAL;
    str_copy_fitting(last, sizeof last, dataset);
    if (*batch != '\0')
        fault = lake_dataset_walk(w, dataset, batch);
    bool more = true;
    while (fault == FAULT_NONE && !w->full && more) {
        fault = lake_store()->names(&w->datasets, path, last, sweep_names_dataset);
        more = w->datasets.more;
        for (int i = 0; fault == FAULT_NONE && !w->full && i < w->datasets.count; i++) {
            str_copy_fitting(last, sizeof last, w->datasets.name[i]);
            fault = lake_dataset_walk(w, last, "");
        }
    }
    return fault == FAULT_NONE ? lake_ask(w) : fault; /* a question is of one sandbox */
}

/* Ends the walk for this time, behind this sandbox. */
static void lake_pass(struct lake_walk *w)
{
    memset(w->dataset, 'f', IDENT_DATASET_DIGITS);
    memset(w->batch, 'f', IDENT_BATCH_DIGITS);
    w->full = true;
}

static enum fault lake_read_places(struct lake_walk *w, const struct lake_place *behind)
{
    struct sweep *s = w->s;
    struct db_rows rows;
    const char *params[] = {arena_int(s->arena, behind->org), arena_int(s->arena, behind->sandbox), LAKE_PLACES_TEXT};
    enum fault fault = db_call(s->db, s->arena, 0, &STMT_SWEEP_PLACES, params, &rows);
    w->places = 0;
    for (int row = 0; fault == FAULT_NONE && row < rows.count && row < LAKE_PLACES; row++)
        w->place[w->places++] = (struct lake_place){(int)db_int(&rows, row, 0), (int)db_int(&rows, row, 1)};
    arena_reset(s->arena);
    return fault;
}

/* Walks from `first` on, whose dataset and batch were seen the last time. */
static enum fault lake_walk(struct lake_walk *w, const struct lake_place *first, const char *dataset, const char *batch)
{
    struct lake_place behind = {first->org, first->sandbox - 1};
    enum fault fault;
    do {
        fault = lake_read_places(w, &behind);
        for (int i = 0; fault == FAULT_NONE && !w->full && i < w->places; i++) {
            bool again = w->place[i].org == first->org && w->place[i].sandbox == first->sandbox;
            behind = w->at = w->place[i];
            fault = lake_place_walk(w, again ? dataset : "", again ? batch : "");
            if (fault == FAULT_NONE && !w->full && sweep_time_is_up(w->s)) /* the sandbox is done: behind all that may be in it */
                lake_pass(w);
            if (fault == FAULT_NONE)
                fault = sweep_go_on();
        }
    } while (fault == FAULT_NONE && !w->full && w->places == LAKE_PLACES);
    return fault;
}

enum fault sweep_lake(struct sweep *s, const char *mark)
{
    const struct sweep_place from = sweep_place_read(mark);
    struct lake_place first = {from.org, from.sandbox};
    char place[SWEEP_PLACE_MAX] = "";
    struct lake_walk *w = calloc(1, sizeof *w);
    if (w == NULL)
        return FAULT_MEMORY;
    w->s = s;
    enum fault fault = lake_walk(w, &first, from.dataset, from.batch);
    bool kept = (fault == FAULT_NONE && w->full) || (fault == FAULT_NOT_READY && w->stuck);
    if (kept) {
        struct sweep_place at = {.org = w->at.org, .sandbox = w->at.sandbox};
        str_copy_fitting(at.dataset, sizeof at.dataset, w->dataset);
        str_copy_fitting(at.batch, sizeof at.batch, w->batch);
        sweep_place_write(&at, place);
    }
    free(w);
    if (fault == FAULT_NOT_READY || fault == FAULT_STORE) { /* logged; from the same mark the next time, if there is no other */
        if (!kept)
            return FAULT_NONE;
        fault = FAULT_NONE;
    }
    if (fault == FAULT_NONE && strcmp(place, mark) != 0)
        fault = sweep_mark(s, place);
    return fault;
}
