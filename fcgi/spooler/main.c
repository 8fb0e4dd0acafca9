/*
 * consign-spooler: loads what was uploaded and runs the exports.
 *
 * Owns nothing but its workers (lib/pool). Started by systemd or tools/devstack:
 *   consign-spooler --config FILE            until SIGTERM; SIGHUP reloads
 *   consign-spooler --config FILE --check    look whether that would work, the database too; print what a reload can't change
 * Speaks to PostgreSQL as consign_spooler, to two directories, with lake.url to an object store; one of its workers, the sender,
 * to PostgreSQL as consign_sender and to the hosts of webhook.hosts; and to nobody else.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/database_check.h"
#include "core/inbox.h"
#include "core/object_store.h"
#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "lib/db.h"
#include "lib/http.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/pool_upgrade.h"
#include "lib/priv.h"
#include "spooler/counts.h"
#include "spooler/sender.h"
#include "spooler/spool.h"
#include "spooler/tree.h"

#define MAIN_GRACE_MS 15000 /* what an attempt may take to put its work down */
#define MAIN_FIRST_WAIT_MS 900
#define MAIN_MAPPED_BYTES (1024 * 1024) /* allocations from this size on are mapped */

/* Until the database was reached once; then "ready" is said and it is NULL. */
static struct db *first;

/* The express ones are those with the highest slots (spool.c); behind them comes the sender. */
static int main_spools(void)
{
    return (int)(conf_number(CONF_SPOOLER_WORKERS) + conf_number(CONF_SPOOLER_EXPRESS));
}

static int main_workers(void)
{
    return main_spools() + sender_wanted();
}

static int main_work(int slot, void *arg)
{
    return slot < main_spools() ? spool_work(slot, arg) : sender_work();
}

static void main_announce(void *arg)
{
    (void)arg;
    if (first == NULL || db_connect(first) != FAULT_NONE)
        return;
    db_free(first);
    first = NULL;
    log_event(LOG_INFO, "ready", "workers=%d", main_workers());
}

/* The directories that the workers take for granted. */
static enum fault main_make_places(void)
{
    char path[1024];
    if (snprintf(path, sizeof path, "%s/tmp", conf_text(CONF_LAKE_DIR)) >= (int)sizeof path)
        return FAULT_DISK;
    enum fault fault = tree_make(path);
    if (fault == FAULT_NONE)
        fault = tree_make(conf_text(CONF_INBOX_DIR));
    return fault == FAULT_NONE ? inbox_make_lock(conf_text(CONF_INBOX_DIR)) : fault;
}

/* What a reload can't change, one a line: an attempt publishes where its worker was told. */
static const char *main_fixed(void)
{
    static char text[8192];
    snprintf(text, sizeof text, "spooler.user = %s\ninbox.dir = %s\nlake.dir = %s\nlake.url = %s\nlake.endpoint = %s\n",
             conf_text(CONF_SPOOLER_USER), conf_text(CONF_INBOX_DIR), conf_text(CONF_LAKE_DIR), conf_text(CONF_LAKE_URL),
             conf_text(CONF_LAKE_ENDPOINT));
    return text;
}

/* All that a start needs but places and database. False, logged: the settings are no good. */
static bool main_prepare(const char *file)
{
    if (priv_drop(conf_text(CONF_SPOOLER_USER)) != FAULT_NONE)
        return conf_refused(CONF_SPOOLER_USER);
    if (!db_conninfo_valid(conf_text(CONF_DATABASE_SPOOLER)))
        return conf_refused(CONF_DATABASE_SPOOLER);
    if (!sender_settings_valid())
        return false;
    if (object_store_open() != FAULT_NONE || (object_store() != NULL && !http_prepare()))
        return conf_refused(CONF_LAKE_URL);
    priv_warn_unreadable(file);
    return true;
}

static int main_check(const char *file)
{
    if (!main_prepare(file) || !database_check(CONF_DATABASE_SPOOLER, "consign_spooler", &STMT_SPOOLER_SCHEMA) ||
        (sender_wanted() && !database_check(CONF_DATABASE_SENDER, "consign_sender", &STMT_SPOOLER_SCHEMA)))
        return 1;
    fputs(main_fixed(), stdout);
    return 0;
}

static int main_serve(char *const *argv)
{
    if (!main_prepare(argv[2]) || main_make_places() != FAULT_NONE)
        return 1;
    first = db_new((struct db_options){
        .conninfo = conf_text(CONF_DATABASE_SPOOLER), .application = "consign-spooler", .wait_ms = MAIN_FIRST_WAIT_MS});
    if (first == NULL || !counts_open())
        return 1;
    struct pool_program program = {.argv = argv, .fixed = main_fixed(), .keep = {-1, -1, -1}};
    struct pool_options options = {.workers = main_workers(),
                                   .grace_ms = MAIN_GRACE_MS,
                                   .retire_ms = conf_number(CONF_SPOOLER_GRACE_MS),
                                   .work = main_work,
                                   .ended = counts_worker_ended,
                                   .tick = main_announce,
                                   .program = &program};
    return pool_run(&options);
}

int main(int argc, char **argv)
{
    pool_take_over();
    argv[0] = pool_program_path(argv[0]);
    bool check = argc == 4 && strcmp(argv[3], "--check") == 0;
    if ((argc != 3 && !check) || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "usage: consign-spooler --config FILE [--check]\n");
        return 2;
    }
    if (conf_load(argv[2]) != FAULT_NONE)
        return pool_mind(argv, 2);
    priv_clear_environment();
    /* A large buffer grows by moving pages and goes back when it is freed. Left alone, glibc raises the bound with the
     * first large one it frees, copies from then on, and keeps the largest for ever. */
    mallopt(M_MMAP_THRESHOLD, MAIN_MAPPED_BYTES);
    log_open("spooler", log_level_parse(conf_text(CONF_LOG_LEVEL)));
    log_as_json(strcmp(conf_text(CONF_LOG_FORMAT), "json") == 0);
    return check ? main_check(argv[2]) : pool_mind(argv, main_serve(argv));
}
