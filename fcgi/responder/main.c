/*
 * main: consign-api, the FastCGI pool.
 *
 *   consign-api --config FILE     serve until SIGTERM, in the foreground, log to stderr
 *   consign-api --settings        print the table of settings
 *   consign-api --problems        print the table of problem types
 *   consign-api --routes          print the table of routes
 *
 * SECURITY: started as root it becomes api.user before it touches a key, a socket or the database.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/priv.h"
#include "responder/routes.h"
#include "responder/worker.h"

#define MAIN_GRACE_MS 15000
#define MAIN_ARENA_BYTES (2u * 1024u * 1024u) /* a key set of 256 KiB as a tree */

static void main_print_problems(void)
{
    printf("| type | status | title |\n|---|---|---|\n");
    for (int i = FAULT_MALFORMED; i < FAULT_COUNT; i++) {
        const struct fault_row *row = fault_row((enum fault)i);
        int earlier = FAULT_MALFORMED;
        while (strcmp(fault_row((enum fault)earlier)->slug, row->slug) != 0)
            earlier++;
        if (earlier == i)
            printf("| `/problems/%s` | %d | %s |\n", row->slug, row->status, row->title);
    }
}

/* The waits of workers for status changes, in memory that all of them share. */
static struct call_waiting *main_waiting(int workers)
{
    size_t size = sizeof(struct call_waiting) + (size_t)workers * sizeof(int);
    struct call_waiting *w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (w == MAP_FAILED)
        return NULL;
    w->most = workers / 4;
    return w;
}

static void main_worker_ended(int slot, void *arg)
{
    const struct worker_setup *setup = arg;
    setup->waiting->slot_waits[slot] = 0;
}

/* A first look at the database, so that a wrong setting shows at once; the pool serves without it. */
static void main_check_database(void)
{
    struct db *db = db_new((struct db_options){.conninfo = conf_text(CONF_DATABASE_API),
                                               .application = "consign-api",
                                               .wait_ms = (int)conf_number(CONF_API_DATABASE_MS)});
    if (db == NULL || db_connect(db) != FAULT_NONE)
        log_event(LOG_WARN, "database", "what=start reason=\"not reachable yet\"");
    db_free(db);
}

/* Our own token endpoint, <public.url>/ims, and the issuers of the setting token.issuers. NULL, logged:
 * the settings are no good. */
static struct issuers *main_issuers(const struct keys *keys)
{
    struct issuers *list = issuers_new();
    struct arena *a = arena_new(MAIN_ARENA_BYTES);
    const char *file = conf_text(CONF_TOKEN_ISSUERS);
    enum fault fault = FAULT_MEMORY;
    const char *name = a == NULL ? NULL : arena_printf(a, "%s/ims", conf_text(CONF_PUBLIC_URL));
    if (list != NULL && name != NULL)
        fault = issuers_add_own(list, a, name, conf_text(CONF_TOKEN_AUDIENCE), keys_jwks(keys));
    if (fault == FAULT_NONE && *file != '\0')
        fault = issuers_read(list, a, file);
    arena_free(a);
    if (fault == FAULT_NONE)
        return list;
    log_event(LOG_ERROR, "issuers", "fault=%s", fault_row(fault)->name);
    issuers_free(list);
    return NULL;
}

static int main_serve(void)
{
    struct keys *keys = NULL;
    int workers = (int)conf_number(CONF_API_WORKERS);
    if (priv_drop(conf_text(CONF_API_USER)) != FAULT_NONE || keys_open(conf_text(CONF_KEYS_DIR), &keys) != FAULT_NONE)
        return 1;
    struct issuers *issuers = main_issuers(keys);
    struct worker_setup setup = {.listen_fd = request_listen(conf_text(CONF_API_SOCKET)),
                                 .workers = workers,
                                 .keys = keys,
                                 .issuers = issuers,
                                 .cache = token_cache_new(),
                                 .waiting = main_waiting(workers)};
    if (issuers == NULL || setup.listen_fd < 0 || setup.waiting == NULL || setup.cache == NULL)
        return 1;
    main_check_database();
    log_event(LOG_INFO, "ready", "workers=%d socket=%s", workers, log_quote(conf_text(CONF_API_SOCKET)));
    struct pool_options pool = {.workers = workers,
                                .grace_ms = MAIN_GRACE_MS,
                                .work = worker_live,
                                .arg = &setup,
                                .ended = main_worker_ended};
    int status = pool_run(&pool);
    issuers_free(issuers);
    keys_free(keys);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--settings") == 0) {
        conf_print_table(stdout);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--problems") == 0) {
        main_print_problems();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--routes") == 0) {
        routes_print_table(stdout);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "usage: consign-api --config FILE | --settings | --problems | --routes\n");
        return 2;
    }
    if (conf_load(argv[2]) != FAULT_NONE)
        return 2;
    priv_clear_environment();
    log_open("api", log_level_parse(conf_text(CONF_LOG_LEVEL)));
    return main_serve();
}
