/*
 * sender: the process that tells webhooks. See sender.h.
 */
#include "spooler/sender.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/stmt_spooler.h"
#include "core/webhook.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/confine.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/str.h"
#include "spooler/counts.h"
#include "spooler/deliver.h"
#include "spooler/session.h"

#define SENDER_ARENA_BYTES (64u * 1024u)
#define SENDER_CLAIM_MOST 16   /* events that webhook_claim gives at once */
#define SENDER_LEASE_MS 30000  /* longer than a delivery takes and the database may take to hear of it */
#define SENDER_LOOK_MS 250     /* how often it looks for events when there were none */
#define SENDER_SLICE_MS 50     /* the same when there were some; how long it waits for answers before it looks about */
#define SENDER_DOWN_MS 1000    /* pause while the database cannot be reached */
#define SENDER_STOP_MS 3000    /* what deliveries get that are under way when it is asked to stop, and then the database */

/* An event under way, at its number of deliver; or one whose attempt is over, `outcome` being what the database is to hear. */
struct sender_event {
    bool used;
    const char *outcome;
    int org, sandbox, attempts;
    int64_t begun_ms;
    char event[CRYPTO_UUID_TEXT];
    char webhook[72];
};

struct sender {
    struct db *db;
    struct arena *arena;  /* of a report */
    struct arena *claimed; /* events, while they are begun */
    int64_t look_ms; /* when it looks for events next */
    int64_t down_ms; /* up to when it asks the database nothing */
    int64_t stop_ms; /* since when it is to stop; 0: it is not */
    struct sender_event event[DELIVER_MOST];
    struct sender_event untold[DELIVER_MOST]; /* room for each that is under way is kept */
    int untold_count;
};

bool sender_wanted(void)
{
    return conf_text(CONF_WEBHOOK_HOSTS)[0] != '\0';
}

bool sender_settings_valid(void)
{
    const char *rule, *ca_file = conf_text(CONF_WEBHOOK_CA_FILE);
    if (!webhook_hosts_valid(conf_text(CONF_WEBHOOK_HOSTS), &rule)) {
        log_event(LOG_ERROR, "webhook_hosts", "reason=%s", log_quote(rule));
        return conf_refused(CONF_WEBHOOK_HOSTS);
    }
    if (*ca_file != '\0' && access(ca_file, R_OK) != 0) {
        log_event(LOG_ERROR, "webhook_ca_file", "path=%s reason=\"%s\"", log_quote(ca_file), strerror(errno));
        return conf_refused(CONF_WEBHOOK_CA_FILE);
    }
    if (sender_wanted() && !db_conninfo_valid(conf_text(CONF_DATABASE_SENDER)))
        return conf_refused(CONF_DATABASE_SENDER);
    return true;
}

/* Tells the database how an attempt ended. */
static enum fault sender_report(struct sender *s, const struct sender_event *e, const char *outcome)
{
    uint32_t random;
    crypto_random((unsigned char *)&random, sizeof random);
    const char *params[] = {arena_int(s->arena, e->org),      arena_int(s->arena, e->sandbox),
                            e->event,                         arena_int(s->arena, e->attempts),
                            outcome,                          arena_int(s->arena, webhook_pause_ms(e->attempts, random))};
    enum fault fault = db_call(s->db, s->arena, 0, &STMT_WEBHOOK_END, params, NULL);
    arena_reset(s->arena);
    return fault;
}

/* Tells the database of the attempts that are over, up to the first of which it does not hear: that is told again after the
 * others, as long as its lease lasts. Then somebody sends it again. */
static enum fault sender_tell(struct sender *s)
{
    enum fault fault = FAULT_NONE;
    while (s->untold_count > 0 && fault == FAULT_NONE) {
        struct sender_event e = s->untold[0];
        memmove(s->untold, s->untold + 1, (size_t)--s->untold_count * sizeof *s->untold);
        fault = sender_report(s, &e, e.outcome);
        if (fault != FAULT_NONE && clock_monotonic_ms() - e.begun_ms < SENDER_LEASE_MS)
            s->untold[s->untold_count++] = e;
        else if (fault != FAULT_NONE)
            log_event(LOG_WARN, "webhook_unreported", "id=%s outcome=%s", e.event, e.outcome);
    }
    return fault;
}

/* How many events may be begun: each may become one that is untold. */
static int sender_room(const struct sender *s)
{
    return deliver_room() - s->untold_count;
}

/* An attempt is over: counts and logs it, and keeps it to be told. `counted` is the outcome's name there. */
static void sender_conclude(struct sender *s, const struct sender_event *e, const char *outcome, const char *counted, int status,
                            const char *reason)
{
    char name[48];
    snprintf(name, sizeof name, "webhook/%s", counted);
    counts_add(name, 1);
    log_event(LOG_INFO, "webhook", "org=%d sandbox=%d webhook=%s id=%s attempts=%d outcome=%s status=%d ms=%lld reason=%s",
              e->org, e->sandbox, log_quote(e->webhook), e->event, e->attempts, counted, status,
              (long long)(clock_monotonic_ms() - e->begun_ms), log_quote(reason));
    s->untold[s->untold_count] = *e;
    s->untold[s->untold_count++].outcome = outcome;
}

/* ---- events that are due ---- */

/* The value of webhook-signature: by the secret, and by the one before while that counts. */
static bool sender_sign(const struct db_rows *rows, int row, const char *id, int64_t timestamp_s, const char *body,
                        char out[2 * WEBHOOK_SIGNATURE_TEXT])
{
    unsigned char secret[WEBHOOK_SECRET_BYTES], old[WEBHOOK_SECRET_BYTES];
    bool good = crypto_unhex(db_text(rows, row, 6), secret, sizeof secret) &&
                webhook_sign(secret, id, timestamp_s, body, out) == FAULT_NONE;
    if (good && !db_null(rows, row, 7)) {
        size_t length = strlen(out);
        out[length] = ' ';
        good = crypto_unhex(db_text(rows, row, 7), old, sizeof old) &&
               webhook_sign(old, id, timestamp_s, body, out + length + 1) == FAULT_NONE;
        crypto_wipe(old, sizeof old);
    }
    crypto_wipe(secret, sizeof secret);
    return good;
}

/* Begins to send the event of a row, which is kept then; false: it could not, *counted and *reason say how that counts. */
static bool sender_begin(struct sender *s, const struct db_rows *rows, int row, const struct sender_event *e,
                         const char **counted, const char **reason)
{
    struct webhook_url url;
    char signature[2 * WEBHOOK_SIGNATURE_TEXT];
    const char *body = db_text(rows, row, 8);
    struct deliver_request request = {.url = db_text(rows, row, 5),
                                      .id = e->event,
                                      .timestamp_s = clock_wall_ms() / 1000,
                                      .signature = signature,
                                      .body = body};
    *counted = "refused";
    /* SECURITY: the list counts at each delivery; the endpoint may have been registered under another one */
    if (!webhook_url_read(request.url, &url, reason))
        return false;
    *reason = "the host is not on the list webhook.hosts";
    if (!webhook_hosts_allow(conf_text(CONF_WEBHOOK_HOSTS), &url, &request.inside))
        return false;
    *counted = "failed";
    *reason = "no memory";
    request.tls = url.tls;
    int number = sender_sign(rows, row, e->event, request.timestamp_s, body, signature) ? deliver_begin(&request) : -1;
    if (number >= 0)
        s->event[number] = *e;
    return number >= 0;
}

/* Takes events that are due and begins to send them. The database is told of the whole room: who may have how much goes by it. */
static enum fault sender_claim(struct sender *s)
{
    struct db_rows rows;
    const int room = sender_room(s);
    const char *params[] = {arena_int(s->claimed, room), arena_int(s->claimed, SENDER_LEASE_MS)};
    enum fault fault = db_call(s->db, s->claimed, 0, &STMT_WEBHOOK_CLAIM, params, &rows);
    int count = fault == FAULT_NONE ? rows.count : 0;
    for (int row = 0; row < count; row++) {
        const char *counted, *reason;
        struct sender_event e = {.used = true,
                                 .org = (int)db_int(&rows, row, 0),
                                 .sandbox = (int)db_int(&rows, row, 1),
                                 .attempts = (int)db_int(&rows, row, 3),
                                 .begun_ms = clock_monotonic_ms()};
        str_copy_fitting(e.event, sizeof e.event, db_text(&rows, row, 2));
        str_copy_fitting(e.webhook, sizeof e.webhook, db_text(&rows, row, 4));
        if (!sender_begin(s, &rows, row, &e, &counted, &reason))
            sender_conclude(s, &e, "failed", counted, 0, reason);
    }
    arena_reset(s->claimed);
    bool more = count == room || count == SENDER_CLAIM_MOST;
    s->look_ms = clock_monotonic_ms() + (more ? 0 : count > 0 ? SENDER_SLICE_MS : SENDER_LOOK_MS);
    return fault;
}

/* ---- answers ---- */

static void sender_collect(struct sender *s)
{
    struct deliver_result result;
    while (deliver_next(&result)) {
        struct sender_event *e = &s->event[result.number];
        bool taken = result.status >= 200 && result.status <= 299, gone = result.status == 410;
        const char *outcome = taken ? "delivered" : gone ? "gone" : "failed";
        e->used = false;
        sender_conclude(s, e, outcome, result.refused ? "refused" : outcome, result.status, result.reason);
        if (gone)
            log_event(LOG_WARN, "webhook_disabled", "org=%d sandbox=%d webhook=%s reason=\"it answered 410\"", e->org,
                      e->sandbox, log_quote(e->webhook));
    }
}

/* At the end: what is not answered yet is anybody's at once. It may have arrived. A database that is gone or slow is not waited
 * for: the leases end by themselves. */
static void sender_hand_back(struct sender *s)
{
    db_set_budget(s->db, SENDER_STOP_MS);
    enum fault fault = sender_tell(s);
    for (int i = 0; i < DELIVER_MOST && fault == FAULT_NONE; i++) {
        if (s->event[i].used)
            fault = sender_report(s, &s->event[i], "returned");
    }
    if (fault != FAULT_NONE)
        log_event(LOG_WARN, "webhooks_not_handed_back", "untold=%d under_way=%d", s->untold_count, DELIVER_MOST - deliver_room());
}

/* ---- its life ---- */

static bool sender_open(struct sender *s)
{
    memset(s, 0, sizeof *s);
    s->db = db_new(session_sender_options());
    s->arena = arena_new(SENDER_ARENA_BYTES);
    s->claimed = arena_new(SENDER_ARENA_BYTES);
    return s->db != NULL && s->arena != NULL && s->claimed != NULL && deliver_open(conf_text(CONF_WEBHOOK_CA_FILE));
}

/* Whether it is to go on: until it was told to leave and nothing is under way, or that took too long. */
static bool sender_goes_on(struct sender *s, bool leaving)
{
    if (!leaving)
        return true;
    if (s->stop_ms == 0 && pool_worker_stopping())
        s->stop_ms = clock_monotonic_ms();
    return deliver_room() < DELIVER_MOST && (s->stop_ms == 0 || clock_monotonic_ms() - s->stop_ms < SENDER_STOP_MS);
}

/* What it has to say to the database, and to ask. After a fault it is left alone for a while. */
static void sender_speak(struct sender *s, bool leaving)
{
    if (clock_monotonic_ms() < s->down_ms)
        return;
    enum fault fault = sender_tell(s);
    if (fault != FAULT_DB_UNAVAILABLE && !leaving && sender_room(s) > 0 && clock_monotonic_ms() >= s->look_ms) {
        enum fault claimed = sender_claim(s);
        fault = fault == FAULT_NONE ? claimed : fault;
    }
    if (fault != FAULT_NONE)
        s->down_ms = clock_monotonic_ms() + SENDER_DOWN_MS;
    else if (!leaving)
        counts_hand_over(s->db, s->arena, false);
}

static void sender_turn(struct sender *s, bool leaving)
{
    sender_speak(s, leaving);
    if (deliver_room() < DELIVER_MOST)
        deliver_go_on(SENDER_SLICE_MS);
    else
        pool_worker_wait(-1, SENDER_LOOK_MS);
    sender_collect(s);
}

int sender_work(void)
{
    static struct sender s;
    if (!sender_open(&s) || confine_process(CONFINE_RESOLVE) != FAULT_NONE)
        return 1;
    log_event(LOG_INFO, "sender", "hosts=%s", log_quote(conf_text(CONF_WEBHOOK_HOSTS)));
    for (bool leaving = false; sender_goes_on(&s, leaving); leaving = pool_worker_retiring())
        sender_turn(&s, leaving);
    sender_hand_back(&s);
    counts_hand_over(s.db, s.arena, true);
    deliver_close();
    db_free(s.db);
    arena_free(s.arena);
    arena_free(s.claimed);
    return 0;
}
