/*
 * load: `consignctl load`. See load.h.
 *
 * Files are cut into pieces (load_piece), each a batch of its own (load_batch), so that a failure costs one piece and
 * progress shows. While the spooler loads one, the next is copied; LOAD_AHEAD bounds what lies in the inbox.
 */
#include "consignctl/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "consignctl/load_batch.h"
#include "consignctl/load_piece.h"
#include "consignctl/load_show.h"
#include "lib/clock.h"

#define LOAD_BATCH_BYTES (256LL * 1024 * 1024)
#define LOAD_AHEAD 2
#define LOAD_REFUSED_SHOWN 10
#define LOAD_LOOK_MS 50

struct load_job {
    struct load_batch batch;
    int64_t bytes;
};

struct load {
    struct load_target target;
    struct load_show show;
    int64_t most_bytes;
    struct load_job job[LOAD_AHEAD]; /* handed over and not ended yet, in order */
    int jobs;
    int64_t refused, failed;
    int refused_shown;
};

static const char *load_choice(const struct ctl_options *o, const char *name, const char *const *allowed)
{
    const char *given = ctl_option(o, name);
    for (int i = 0; allowed[i] != NULL; i++) {
        if (given == NULL || strcmp(given, allowed[i]) == 0)
            return allowed[i];
    }
    ctl_wrong("--%s: %s is not known", name, given);
}

static void load_read_options(struct load *l, const struct ctl_options *o)
{
    static const char *const FORMATS[] = {"json", "csv", NULL}, *const ENCODINGS[] = {"identity", "gzip", "zstd", NULL};
    const char *bytes = ctl_option(o, "batch-bytes"), *again = ctl_option(o, "again"), *cut = ctl_option(o, "delimiter");
    char *end = NULL;
    l->target.dataset = ctl_need(o, "dataset");
    l->target.format = load_choice(o, "format", FORMATS);
    l->target.encoding = load_choice(o, "encoding", ENCODINGS);
    l->target.delimiter = cut == NULL ? "," : cut;
    l->target.again = again == NULL ? "" : again;
    l->most_bytes = bytes == NULL ? LOAD_BATCH_BYTES : strtoll(bytes, &end, 10);
    if (l->most_bytes < 1 || (end != NULL && *end != '\0'))
        ctl_wrong("--batch-bytes: a number of bytes");
}

/* What became of a batch that has ended. */
static void load_account(struct load *l, const struct load_job *job, bool old)
{
    const struct load_batch *b = &job->batch;
    l->show.done_bytes += job->bytes;
    l->show.known_bytes += old ? job->bytes : 0;
    l->show.records += b->records;
    l->refused += b->refused;
    if (b->state == LOAD_FAILED) {
        l->failed++;
        load_show_line(&l->show, "batch %s: %s", b->id, b->reason);
    } else {
        load_show_line(&l->show, "batch %s: %lld records%s, %lld refused", b->id, (long long)b->records,
                       old ? " already loaded" : "", (long long)b->refused);
    }
    if (b->refused > 0 && l->refused_shown < LOAD_REFUSED_SHOWN) {
        if (l->show.bar)
            fputs("\r\033[K", stderr);
        l->refused_shown += load_batch_print_refused(&l->target, b, LOAD_REFUSED_SHOWN - l->refused_shown);
        fflush(stdout);
    }
}

/* Waits until the oldest batch has ended. */
static void load_wait(struct load *l)
{
    const struct timespec pause = {.tv_nsec = LOAD_LOOK_MS * 1000000L};
    for (load_batch_look(&l->target, &l->job[0].batch); l->job[0].batch.state == LOAD_WAITING;
         load_batch_look(&l->target, &l->job[0].batch)) {
        load_show_draw(&l->show);
        nanosleep(&pause, NULL);
    }
    load_account(l, &l->job[0], false);
    l->jobs--;
    memmove(l->job, l->job + 1, (size_t)l->jobs * sizeof *l->job);
}

static void load_one(struct load *l, const struct load_piece *piece)
{
    char name[256];
    bool old = false;
    const char *slash = strrchr(piece->path, '/'), *base = slash == NULL ? piece->path : slash + 1;
    if (l->jobs == LOAD_AHEAD)
        load_wait(l);
    struct load_job *job = &l->job[l->jobs];
    job->bytes = piece->bytes;
    load_batch_open(&l->target, piece, &job->batch, &old);
    if (job->batch.state == LOAD_DONE) {
        load_account(l, job, old);
        return;
    }
    snprintf(name, sizeof name, piece->bytes == piece->file_bytes ? "%.200s" : "%.200s@%lld", base,
             (long long)piece->begin);
    if (job->batch.state == LOAD_OPEN)
        load_batch_send(&l->target, piece, name, &job->batch);
    l->jobs++;
    load_show_draw(&l->show);
}

static int64_t load_total(const struct ctl_options *o)
{
    int64_t total = 0;
    struct stat about;
    for (int i = 0; i < o->files; i++) {
        if (stat(o->file[i], &about) != 0)
            ctl_fail("cannot read %s: %s", o->file[i], strerror(errno));
        total += about.st_size;
    }
    return total;
}

int ctl_load(const char *word, const struct ctl_options *options)
{
    (void)word;
    struct load l = {0};
    load_read_options(&l, options);
    int64_t total = load_total(options), began_ms = clock_monotonic_ms();
    bool plain = strcmp(l.target.format, "json") == 0 && strcmp(l.target.encoding, "identity") == 0;
    l.target.conn = ctl_connect_owner();
    load_batch_find_dataset(&l.target);
    load_show_begin(&l.show, total);
    for (int i = 0; i < options->files; i++) {
        struct load_piece piece;
        load_piece_open(&piece, options->file[i], plain);
        while (load_piece_next(&piece, l.most_bytes))
            load_one(&l, &piece);
    }
    while (l.jobs > 0)
        load_wait(&l);
    load_show_end(&l.show);
    PQfinish(l.target.conn);
    double seconds = (double)(clock_monotonic_ms() - began_ms) / 1000;
    printf("%lld records loaded, %lld refused, %lld batches failed, %.1f s\n", (long long)l.show.records,
           (long long)l.refused, (long long)l.failed, seconds);
    return l.failed > 0 ? 1 : l.refused > 0 ? 3 : 0;
}
