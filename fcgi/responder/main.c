/*
 * main: consign-api, the FastCGI pool.
 *
 *   consign-api --config FILE     serve until SIGTERM, in the foreground, log to stderr; SIGHUP reloads
 *   consign-api --config FILE --check   look whether that would work, the database too; print what a reload can't change
 *   consign-api --settings        print the table of settings
 *   consign-api --example         print a settings file with all of them
 *   consign-api --problems        print the table of problem types
 *   consign-api --routes          print the table of routes
 *   consign-api --metrics         print the table of metrics
 *
 * SECURITY: started as root it becomes api.user before it touches a key, a socket or the database.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/database_check.h"
#include "core/object_store.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/pool_upgrade.h"
#include "lib/priv.h"
#include "responder/figures.h"
#include "responder/listen.h"
#include "responder/metric.h"
#include "responder/routes.h"
#include "responder/sizing.h"
#include "responder/store_figures.h"
#include "responder/traffic.h"
#include "responder/worker.h"

#define MAIN_GRACE_MS 15000
#define MAIN_RETIRE_MS 600000 /* the longest ?wait= is a minute; a large upload to a slow disk takes its time */
#define MAIN_KEEP_ISSUERS 2    /* their place in pool_program.keep */
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
    w->most = sizing_waiting(workers);
    return w;
}

static void main_worker_ended(int slot, void *arg)
{
    const struct worker_setup *setup = arg;
    setup->waiting->slot_waits[slot] = 0;
    concurrency_release(setup->concurrency, slot);
    suspect_ended(setup->suspect, slot);
    figures_ended(setup->figures, slot, clock_monotonic_ms());
}

/* Starting the next program and its workers takes the machine from these. */
static void main_reloads(void *arg)
{
    const struct worker_setup *setup = arg;
    concurrency_spare(setup->concurrency, clock_monotonic_ms());
}

/* What to become in a reload. */
static struct pool_program main_program;

static void main_upgrades(void *arg)
{
    const struct worker_setup *setup = arg;
    int *kept = &main_program.keep[MAIN_KEEP_ISSUERS];
    if (*kept >= 0)
        close(*kept); /* of an attempt before */
    *kept = issuers_hand_over(setup->issuers);
}

static void main_tick(void *arg)
{
    const struct worker_setup *setup = arg;
    figures_look(setup->figures, setup->listen_fd, clock_monotonic_ms());
    issuers_refresh(setup->issuers, setup->arena);
    arena_reset(setup->arena);
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
    if (fault == FAULT_NONE)
        issuers_take_over(list, a, pool_kept(MAIN_KEEP_ISSUERS));
    arena_free(a);
    if (fault == FAULT_NONE)
        return list;
    log_event(LOG_ERROR, "issuers", "fault=%s", fault_row(fault)->name);
    issuers_free(list);
    return NULL;
}

/* What a reload can't change, one a line. */
static const char *main_fixed(void)
{
    static char text[8192];
    snprintf(text, sizeof text, "api.socket = %s\napi.user = %s\ninbox.dir = %s\n", conf_text(CONF_API_SOCKET),
             conf_text(CONF_API_USER), conf_text(CONF_INBOX_DIR));
    return text;
}

/* The socket of the program before, if there was one, else a new one. */
static bool main_listen(struct listen *l)
{
    const char *path = conf_text(CONF_API_SOCKET);
    return pool_kept(0) >= 0 ? listen_take(l, path, pool_kept(0), pool_kept(1)) : listen_open(l, path);
}

/* All that a start needs but the socket and the database. False, logged: the settings are no good. */
static bool main_prepare(const char *file, struct keys **keys, struct issuers **issuers)
{
    if (priv_drop(conf_text(CONF_API_USER)) != FAULT_NONE)
        return conf_refused(CONF_API_USER);
    if (!db_conninfo_valid(conf_text(CONF_DATABASE_API)))
        return conf_refused(CONF_DATABASE_API);
    if (keys_open(conf_text(CONF_KEYS_DIR), keys) != FAULT_NONE)
        return conf_refused(CONF_KEYS_DIR);
    if (object_store_open() != FAULT_NONE)
        return conf_refused(CONF_LAKE_URL);
    priv_warn_unreadable(file);
    *issuers = main_issuers(*keys);
    return *issuers != NULL || conf_refused(CONF_TOKEN_ISSUERS);
}

static int main_check(const char *file)
{
    struct keys *keys = NULL;
    struct issuers *issuers = NULL;
    bool good = main_prepare(file, &keys, &issuers) &&
                database_check(CONF_DATABASE_API, "consign_api", &STMT_API_SCHEMA);
    if (good)
        fputs(main_fixed(), stdout);
    issuers_free(issuers);
    keys_free(keys);
    return good ? 0 : 1;
}

static int main_serve(char *const *argv)
{
    struct keys *keys = NULL;
    struct issuers *issuers = NULL;
    struct listen listen;
    int workers = sizing_workers(conf_number(CONF_API_WORKERS), sizing_cores());
    if (!main_prepare(argv[2], &keys, &issuers) || !main_listen(&listen))
        return 1;
    struct worker_setup setup = {.listen_fd = listen.socket,
                                 .workers = workers,
                                 .keys = keys,
                                 .issuers = issuers,
                                 .arena = arena_new(MAIN_ARENA_BYTES),
                                 .cache = token_cache_new(),
                                 .scopes = scope_cache_new(),
                                 .waiting = main_waiting(workers),
                                 .concurrency = concurrency_new(workers, (int)conf_number(CONF_API_ORG_WORKERS),
                                                                clock_monotonic_ms()),
                                 .org_rate = org_rate_new(sizing_org_rate(conf_number(CONF_API_ORG_RATE), sizing_cores())),
                                 .suspect = suspect_new(workers),
                                 .figures = figures_new(workers),
                                 .traffic = traffic_new(routes_count()),
                                 .store = store_figures_new()};
    if (setup.arena == NULL || setup.waiting == NULL || setup.concurrency == NULL || setup.org_rate == NULL || setup.suspect == NULL ||
        setup.cache == NULL || setup.scopes == NULL || setup.figures == NULL || setup.traffic == NULL || setup.store == NULL)
        return 1;
    main_check_database();
    log_event(LOG_INFO, "ready", "workers=%d socket=%s", workers, log_quote(conf_text(CONF_API_SOCKET)));
    main_program = (struct pool_program){.argv = argv, .fixed = main_fixed(), .keep = {listen.socket, listen.lock, -1}};
    struct pool_options pool = {.workers = workers,
                                .grace_ms = MAIN_GRACE_MS,
                                .retire_ms = MAIN_RETIRE_MS,
                                .work = worker_live,
                                .arg = &setup,
                                .ended = main_worker_ended,
                                .reloads = main_reloads,
                                .upgrades = main_upgrades,
                                .tick = main_tick,
                                .program = &main_program};
    int status = pool_run(&pool);
    arena_free(setup.arena);
    issuers_free(issuers);
    keys_free(keys);
    return status;
}

/* --settings and its like. False: something else was asked for. */
static bool main_print(const char *what)
{
    if (strcmp(what, "--settings") == 0)
        conf_print_table(stdout);
    else if (strcmp(what, "--example") == 0)
        conf_print_file(stdout);
    else if (strcmp(what, "--problems") == 0)
        main_print_problems();
    else if (strcmp(what, "--routes") == 0)
        routes_print_table(stdout);
    else if (strcmp(what, "--metrics") == 0)
        metric_print_table(stdout);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    pool_take_over();
    argv[0] = pool_program_path(argv[0]);
    if (argc == 2 && main_print(argv[1]))
        return 0;
    bool check = argc == 4 && strcmp(argv[3], "--check") == 0;
    if ((argc != 3 && !check) || strcmp(argv[1], "--config") != 0) {
        fprintf(stderr, "usage: consign-api --config FILE [--check] | --settings | --example | --problems | --routes | --metrics\n");
        return 2;
    }
    if (conf_load(argv[2]) != FAULT_NONE)
        return pool_mind(argv, 2);
    priv_clear_environment();
    log_open("api", log_level_parse(conf_text(CONF_LOG_LEVEL)));
    log_as_json(strcmp(conf_text(CONF_LOG_FORMAT), "json") == 0);
    return check ? main_check(argv[2]) : pool_mind(argv, main_serve(argv));
}
