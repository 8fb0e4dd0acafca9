/*
 * registry: orgs, sandboxes and clients.
 *
 * A client's secret is made here, shown once, and kept only as a salted hash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/right.h"
#include "consignctl/ctl.h"
#include "lib/crypto.h"

#define REGISTRY_SECRET_BYTES 32

/* Runs a statement that must touch exactly one row; `what` names the thing that is not there. */
static int registry_change(const char *text, int count, const char *const *params, const char *what)
{
    PGconn *conn = ctl_connect_owner();
    PGresult *result = ctl_query(conn, text, count, params);
    bool one = strcmp(PQcmdTuples(result), "1") == 0;
    PQclear(result);
    PQfinish(conn);
    if (!one)
        ctl_fail("no such %s", what);
    return 0;
}

/* Prints the rows, columns separated by tabs. */
static int registry_print(const char *text, int count, const char *const *params)
{
    PGconn *conn = ctl_connect_owner();
    ctl_print_rows(ctl_query(conn, text, count, params));
    PQfinish(conn);
    return 0;
}

/* What enable and disable make of `active`. */
static const char *registry_active(const char *word)
{
    return strcmp(word, "enable") == 0 ? "true" : "false";
}

int ctl_org(const char *word, const struct ctl_options *o)
{
    if (strcmp(word, "list") == 0)
        return registry_print("SELECT ims_org_id, CASE WHEN active THEN 'active' ELSE 'disabled' END, name"
                              " FROM consign.org ORDER BY ims_org_id", 0, NULL);
    const char *params[] = {ctl_need(o, "id"), NULL};
    if (strcmp(word, "create") == 0) {
        params[1] = ctl_need(o, "name");
        return registry_change("INSERT INTO consign.org (ims_org_id, name) VALUES ($1, $2)", 2, params, "org");
    }
    params[1] = registry_active(word);
    return registry_change("UPDATE consign.org SET active = $2::boolean WHERE ims_org_id = $1", 2, params, "org");
}

int ctl_sandbox(const char *word, const struct ctl_options *o)
{
    const char *params[] = {ctl_need(o, "org"), NULL, NULL};
    if (strcmp(word, "list") == 0)
        return registry_print("SELECT s.name, CASE WHEN s.active THEN 'active' ELSE 'disabled' END"
                              " FROM consign.sandbox s JOIN consign.org o USING (org) WHERE o.ims_org_id = $1"
                              " ORDER BY s.name", 1, params);
    params[1] = ctl_need(o, "name");
    if (strcmp(word, "create") == 0)
        return registry_change("INSERT INTO consign.sandbox (org, name) SELECT o.org, $2 FROM consign.org o"
                               " WHERE o.ims_org_id = $1", 2, params, "org");
    params[2] = registry_active(word);
    return registry_change("UPDATE consign.sandbox s SET active = $3::boolean FROM consign.org o"
                           " WHERE o.org = s.org AND o.ims_org_id = $1 AND s.name = $2", 3, params, "sandbox");
}

/* The rights as a PostgreSQL array. */
static void registry_rights(const char *text, char *out, size_t size)
{
    unsigned unknown = 0;
    unsigned set = strcmp(text, "all") == 0 ? (unsigned)RIGHT_ALL : right_parse(text, &unknown);
    char names[256];
    if (unknown > 0 || set == 0) {
        right_print(RIGHT_ALL, ',', names, sizeof names);
        ctl_wrong("--rights: all, or some of %s", names);
    }
    right_print(set, ',', names, sizeof names);
    snprintf(out, size, "{%s}", names);
}

static void registry_client_orgs(PGconn *conn, const char *client_id, const struct ctl_options *o)
{
    for (int i = 0; i < o->count; i++) {
        if (strcmp(o->name[i], "org") != 0)
            continue;
        const char *const params[] = {client_id, o->value[i]};
        PGresult *result = ctl_query(conn, "INSERT INTO consign.client_org (client, org) SELECT c.client, o.org"
                                     " FROM consign.client c, consign.org o WHERE c.client_id = $1 AND o.ims_org_id = $2",
                                     2, params);
        if (strcmp(PQcmdTuples(result), "1") != 0)
            ctl_fail("no such org: %s", o->value[i]);
        PQclear(result);
    }
}

/* A new secret, and what is kept of it: salt and hash as the database takes them. */
struct registry_secret {
    char text[REGISTRY_SECRET_BYTES * 2 + 1];
    char salt[40], hash[80];
};

static void registry_make_secret(struct registry_secret *out)
{
    unsigned char salt[16], hash[CRYPTO_SHA256_BYTES];
    *out = (struct registry_secret){.salt = "\\x", .hash = "\\x"};
    crypto_random_hex(out->text, REGISTRY_SECRET_BYTES);
    crypto_random(salt, sizeof salt);
    crypto_secret_hash(salt, out->text, hash);
    crypto_hex(salt, sizeof salt, out->salt + 2);
    crypto_hex(hash, sizeof hash, out->hash + 2);
}

static int registry_tell(const char *client_id, struct registry_secret *secret)
{
    printf("client_id=%s\nclient_secret=%s\n", client_id, secret->text);
    crypto_wipe(secret, sizeof *secret);
    return 0;
}

static int registry_client_create(const struct ctl_options *o)
{
    struct registry_secret secret;
    char id[33], rights[300];
    registry_rights(ctl_need(o, "rights"), rights, sizeof rights);
    crypto_random_hex(id, 16);
    registry_make_secret(&secret);
    PGconn *conn = ctl_connect_owner();
    const char *const params[] = {id, ctl_need(o, "name"), secret.salt, secret.hash, rights};
    ctl_script(conn, "begin", "BEGIN");
    PQclear(ctl_query(conn, "INSERT INTO consign.client (client_id, name, secret_salt, secret_hash, rights)"
                      " VALUES ($1, $2, $3::bytea, $4::bytea, $5::text[])", 5, params));
    registry_client_orgs(conn, id, o);
    ctl_script(conn, "commit", "COMMIT");
    PQfinish(conn);
    return registry_tell(id, &secret);
}

/* The secret before ends with it. */
static int registry_client_rotate(const struct ctl_options *o)
{
    struct registry_secret secret;
    registry_make_secret(&secret);
    const char *const params[] = {ctl_need(o, "id"), secret.salt, secret.hash};
    (void)registry_change("UPDATE consign.client SET secret_salt = $2::bytea, secret_hash = $3::bytea WHERE client_id = $1", 3,
                          params, "client");
    return registry_tell(params[0], &secret);
}

static int registry_client_list(const struct ctl_options *o)
{
    const char *const params[] = {ctl_option(o, "org")};
    return registry_print("SELECT c.client_id, CASE WHEN c.active THEN 'active' ELSE 'disabled' END, c.name,"
                          " string_agg(o.ims_org_id, ',' ORDER BY o.ims_org_id), array_to_string(c.rights, ',')"
                          " FROM consign.client c JOIN consign.client_org e USING (client)"
                          " JOIN consign.org o USING (org) GROUP BY c.client"
                          " HAVING $1::text IS NULL OR bool_or(o.ims_org_id = $1) ORDER BY c.client", 1, params);
}

int ctl_client(const char *word, const struct ctl_options *o)
{
    char rights[300];
    if (strcmp(word, "create") == 0)
        return registry_client_create(o);
    if (strcmp(word, "list") == 0)
        return registry_client_list(o);
    if (strcmp(word, "rotate") == 0)
        return registry_client_rotate(o);
    const char *params[] = {ctl_need(o, "id"), registry_active(word)};
    if (strcmp(word, "rights") != 0)
        return registry_change("UPDATE consign.client SET active = $2::boolean WHERE client_id = $1", 2, params, "client");
    registry_rights(ctl_need(o, "rights"), rights, sizeof rights);
    params[1] = rights;
    return registry_change("UPDATE consign.client SET rights = $2::text[] WHERE client_id = $1", 2, params, "client");
}
