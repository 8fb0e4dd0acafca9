/*
 * webhook: endpoints that are told when export jobs end (sql/schema/033_webhook.sql): make them, show them, switch them off and
 * on, give them another secret.
 *
 * The secret is made here and shown once. It is kept as it is, because a signature needs it; the spooler alone reads it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consignctl/ctl.h"
#include "core/webhook.h"
#include "core/webhook_place.h"
#include "lib/conf.h"

#define WEBHOOK_OVERLAP_MS "86400000" /* for so long after a rotation the secret before signs as well */

/* Runs a statement on the endpoint of the options: org, sandbox and name, and `value` and `other`, are its parameters. It
 * touches one row, or `none` is said. */
static void webhook_change(PGconn *conn, const struct ctl_options *o, const char *text, int count, const char *value,
                           const char *other, const char *none)
{
    const char *const params[] = {ctl_need(o, "org"), ctl_need(o, "sandbox"), ctl_need(o, "name"), value, other};
    PGresult *done = ctl_query(conn, text, count, params);
    if (strcmp(PQcmdTuples(done), "1") != 0)
        ctl_fail("%s", none);
    PQclear(done);
}

/* A new secret: as the database takes it, and as its owner gets it. */
static void webhook_make_secret(char hex[2 * WEBHOOK_SECRET_BYTES + 3], char text[WEBHOOK_SECRET_TEXT])
{
    unsigned char secret[WEBHOOK_SECRET_BYTES];
    crypto_random(secret, sizeof secret);
    memcpy(hex, "\\x", 2);
    crypto_hex(secret, sizeof secret, hex + 2);
    webhook_secret_write(secret, text);
    crypto_wipe(secret, sizeof secret);
}

static void webhook_tell(const struct ctl_options *o, char text[WEBHOOK_SECRET_TEXT])
{
    printf("name=%s\nsecret=%s\n", ctl_need(o, "name"), text);
    crypto_wipe(text, WEBHOOK_SECRET_TEXT);
}

/* Ends the program when the URL is none that webhooks may be sent to. */
static void webhook_check_url(const char *text)
{
    struct webhook_url url;
    struct webhook_prefix inside;
    const char *rule;
    if (!webhook_url_read(text, &url, &rule))
        ctl_wrong("--url: %s", rule);
    if (!webhook_hosts_valid(conf_text(CONF_WEBHOOK_HOSTS), &rule))
        ctl_fail("the setting webhook.hosts: %s", rule);
    if (!webhook_hosts_allow(conf_text(CONF_WEBHOOK_HOSTS), &url, &inside))
        ctl_fail("--url: the host %s with port %d is not on the list of the setting webhook.hosts", url.host, url.port);
}

static int webhook_create(const struct ctl_options *o)
{
    char hex[2 * WEBHOOK_SECRET_BYTES + 3], text[WEBHOOK_SECRET_TEXT];
    webhook_check_url(ctl_need(o, "url"));
    webhook_make_secret(hex, text);
    PGconn *conn = ctl_connect_owner();
    webhook_change(conn, o, "INSERT INTO consign.webhook (org, sandbox, name, url, secret)"
                   " SELECT s.org, s.sandbox, $3, $4, $5::bytea FROM consign.sandbox s JOIN consign.org o USING (org)"
                   " WHERE o.ims_org_id = $1 AND s.name = $2", 5, ctl_need(o, "url"), hex, "no such sandbox");
    PQfinish(conn);
    webhook_tell(o, text);
    return 0;
}

#define WEBHOOK_OF                                                                                                     \
    " FROM consign.sandbox s JOIN consign.org o USING (org)"                                                           \
    " WHERE w.org = s.org AND w.sandbox = s.sandbox AND o.ims_org_id = $1 AND s.name = $2 AND w.name = $3"

/* Ends the program when the secret before still signs, as receivers may hold no other; with `force` that secret ends. */
static void webhook_check_overlap(PGconn *conn, const struct ctl_options *o, bool force)
{
    const char *const place[] = {ctl_need(o, "org"), ctl_need(o, "sandbox"), ctl_need(o, "name")};
    PGresult *found = ctl_query(conn, "SELECT FROM consign.webhook w WHERE w.old_until_ms > consign.now_ms()"
                                " AND EXISTS (SELECT" WEBHOOK_OF ") FOR UPDATE", 3, place);
    if (PQntuples(found) > 0 && !force)
        ctl_fail("it was rotated less than 24 h ago: the secret before still signs, and receivers may hold no other;"
                 " `--force yes` ends it at once");
    PQclear(found);
}

static int webhook_rotate(const struct ctl_options *o)
{
    char hex[2 * WEBHOOK_SECRET_BYTES + 3], text[WEBHOOK_SECRET_TEXT];
    const char *force = ctl_option(o, "force");
    if (force != NULL && strcmp(force, "yes") != 0)
        ctl_wrong("--force: only `yes`");
    webhook_make_secret(hex, text);
    PGconn *conn = ctl_connect_owner();
    ctl_script(conn, "begin", "BEGIN");
    webhook_check_overlap(conn, o, force != NULL);
    webhook_change(conn, o, "UPDATE consign.webhook w SET old_secret = w.secret, secret = $4::bytea,"
                   " old_until_ms = consign.now_ms() + " WEBHOOK_OVERLAP_MS WEBHOOK_OF, 4, hex, NULL, "no such webhook");
    ctl_script(conn, "commit", "COMMIT");
    PQfinish(conn);
    webhook_tell(o, text);
    return 0;
}

/* What waited while it was disabled is due at once when it is enabled. */
static int webhook_switch(const struct ctl_options *o, const char *on)
{
    const char *const place[] = {ctl_need(o, "org"), ctl_need(o, "sandbox"), ctl_need(o, "name"), on};
    PGconn *conn = ctl_connect_owner();
    ctl_script(conn, "begin", "BEGIN");
    webhook_change(conn, o, "UPDATE consign.webhook w SET active = $4::boolean" WEBHOOK_OF, 4, on, NULL, "no such webhook");
    PQclear(ctl_query(conn, "UPDATE consign.webhook_event e SET not_before_ms = consign.now_ms()"
                      " FROM consign.sandbox s JOIN consign.org o USING (org)"
                      " WHERE e.org = s.org AND e.sandbox = s.sandbox AND o.ims_org_id = $1 AND s.name = $2 AND e.webhook = $3"
                      " AND e.outcome IS NULL AND NOT e.sending AND $4::boolean", 4, place));
    ctl_script(conn, "commit", "COMMIT");
    PQfinish(conn);
    return 0;
}

static int webhook_list(const struct ctl_options *o)
{
    const char *const params[] = {ctl_option(o, "org")};
    PGconn *conn = ctl_connect_owner();
    PGresult *rows = ctl_query(conn, "SELECT o.ims_org_id, s.name, w.name, CASE WHEN w.active THEN 'active' ELSE 'disabled' END,"
                               " (SELECT count(*) FROM consign.webhook_event e WHERE (e.org, e.sandbox, e.webhook)"
                               " = (w.org, w.sandbox, w.name) AND e.outcome IS NULL), w.url FROM consign.webhook w"
                               " JOIN consign.org o USING (org) JOIN consign.sandbox s USING (org, sandbox)"
                               " WHERE $1::text IS NULL OR o.ims_org_id = $1 ORDER BY o.ims_org_id, s.name, w.name", 1, params);
    puts("org\tsandbox\tname\tstate\tundelivered\turl");
    ctl_print_rows(rows);
    PQfinish(conn);
    return 0;
}

int ctl_webhook(const char *word, const struct ctl_options *options)
{
    if (strcmp(word, "create") == 0)
        return webhook_create(options);
    if (strcmp(word, "list") == 0)
        return webhook_list(options);
    if (strcmp(word, "rotate") == 0)
        return webhook_rotate(options);
    return webhook_switch(options, strcmp(word, "enable") == 0 ? "true" : "false");
}
