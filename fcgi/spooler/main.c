/*
 * consign-spooler: loads what was uploaded and runs the exports.
 *
 * Owns nothing but its workers (lib/pool). Started by systemd or tools/devstack:
 *   consign-spooler --config FILE
 * Speaks to PostgreSQL as consign_spooler and to two directories, and to nobody else.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/priv.h"
#include "spooler/spool.h"
#include "spooler/tree.h"

#define MAIN_GRACE_MS 15000 /* what an attempt may take to put its work down */
#define MAIN_FIRST_WAIT_MS 900
#define MAIN_MAPPED_BYTES (1024 * 1024) /* allocations from this size on are mapped */

/* Until the database was reached once; then "ready" is said and it is NULL. */
static struct db *first;

static void main_announce(void *arg)
{
    (void)arg;
    if (first == NULL || db_connect(first) != FAULT_NONE)
        return;
    db_free(first);
    first = NULL;
    log_event(LOG_INFO, "ready", "workers=%lld", (long long)conf_number(CONF_SPOOLER_WORKERS));
}

/* The directories that the workers take for granted. */
static enum fault main_make_places(void)
{
    char path[1024];
    if (snprintf(path, sizeof path, "%s/tmp", conf_text(CONF_LAKE_DIR)) >= (int)sizeof path)
        return FAULT_DISK;
    enum fault fault = tree_make(path);
    return fault == FAULT_NONE ? tree_make(conf_text(CONF_INBOX_DIR)) : fault;
}

int main(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "usage: consign-spooler --config FILE\n");
        return 2;
    }
    if (conf_load(argv[2]) != FAULT_NONE)
        return 2;
    priv_clear_environment();
    /* A large buffer grows by moving pages and goes back when it is freed. Left alone, glibc raises the bound with the
     * first large one it frees, copies from then on, and keeps the largest for ever. */
    mallopt(M_MMAP_THRESHOLD, MAIN_MAPPED_BYTES);
    log_open("spooler", log_level_parse(conf_text(CONF_LOG_LEVEL)));
    if (priv_drop(conf_text(CONF_SPOOLER_USER)) != FAULT_NONE || main_make_places() != FAULT_NONE)
        return 1;
    first = db_new((struct db_options){
        .conninfo = conf_text(CONF_DATABASE_SPOOLER), .application = "consign-spooler", .wait_ms = MAIN_FIRST_WAIT_MS});
    if (first == NULL)
        return 1;
    struct pool_options options = {.workers = (int)conf_number(CONF_SPOOLER_WORKERS),
                                   .grace_ms = MAIN_GRACE_MS,
                                   .work = spool_work,
                                   .tick = main_announce};
    return pool_run(&options);
}
