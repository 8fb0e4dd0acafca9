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

static int registry_org(const char *verb, const struct ctl_options *o)
{
    if (strcmp(verb, "list") == 0)
        return registry_print("SELECT ims_org_id, CASE WHEN active THEN 'active' ELSE 'disabled' END, name"
                              " FROM consign.org ORDER BY ims_org_id", 0, NULL);
    const char *params[] = {ctl_need(o, "id"), NULL};
    if (strcmp(verb, "create") == 0) {
        params[1] = ctl_need(o, "name");
        return registry_change("INSERT INTO consign.org (ims_org_id, name) VALUES ($1, $2)", 2, params, "org");
    }
    if (strcmp(verb, "disable") == 0)
        return registry_change("UPDATE consign.org SET active = false WHERE ims_org_id = $1", 1, params, "org");
    if (strcmp(verb, "enable") == 0)
        return registry_change("UPDATE consign.org SET active = true WHERE ims_org_id = $1", 1, params, "org");
    return -1;
}

static int registry_sandbox(const char *verb, const struct ctl_options *o)
{
    const char *params[] = {ctl_need(o, "org"), NULL};
    if (strcmp(verb, "list") == 0)
        return registry_print("SELECT s.name, CASE WHEN s.active THEN 'active' ELSE 'disabled' END"
                              " FROM consign.sandbox s JOIN consign.org o USING (org) WHERE o.ims_org_id = $1"
                              " ORDER BY s.name", 1, params);
    params[1] = ctl_need(o, "name");
    if (strcmp(verb, "create") == 0)
        return registry_change("INSERT INTO consign.sandbox (org, name) SELECT o.org, $2 FROM consign.org o"
                               " WHERE o.ims_org_id = $1", 2, params, "org");
    if (strcmp(verb, "disable") == 0)
        return registry_change("UPDATE consign.sandbox s SET active = false FROM consign.org o"
                               " WHERE o.org = s.org AND o.ims_org_id = $1 AND s.name = $2", 2, params, "sandbox");
    if (strcmp(verb, "enable") == 0)
        return registry_change("UPDATE consign.sandbox s SET active = true FROM consign.org o"
                               " WHERE o.org = s.org AND o.ims_org_id = $1 AND s.name = $2", 2, params, "sandbox");
    return -1;
}

/* The rights as a PostgreSQL array. */
static void registry_rights(const char *text, char *out, size_t size)
{
    unsigned unknown = 0;
    unsigned set = strcmp(text, "all") == 0 ? (unsigned)RIGHT_ALL : right_parse(text, &unknown);
    char names[256];
    if (unknown > 0 || set == 0) {
        right_print(RIGHT_ALL, ',', names, sizeof names);
        ctl_fail("--rights: all, or some of %s", names);
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

static int registry_client_create(const struct ctl_options *o)
{
    unsigned char salt[16], hash[CRYPTO_SHA256_BYTES];
    char id[33], secret[REGISTRY_SECRET_BYTES * 2 + 1], rights[300], salt_hex[40] = "\\x", hash_hex[80] = "\\x";
    ctl_need(o, "org");
    const char *name = ctl_need(o, "name");
    registry_rights(ctl_need(o, "rights"), rights, sizeof rights);
    crypto_random_hex(id, 16);
    crypto_random_hex(secret, REGISTRY_SECRET_BYTES);
    crypto_random(salt, sizeof salt);
    crypto_secret_hash(salt, secret, hash);
    crypto_hex(salt, sizeof salt, salt_hex + 2);
    crypto_hex(hash, sizeof hash, hash_hex + 2);

    PGconn *conn = ctl_connect_owner();
    const char *const params[] = {id, name, salt_hex, hash_hex, rights};
    ctl_script(conn, "begin", "BEGIN");
    PQclear(ctl_query(conn, "INSERT INTO consign.client (client_id, name, secret_salt, secret_hash, rights)"
                      " VALUES ($1, $2, $3::bytea, $4::bytea, $5::text[])", 5, params));
    registry_client_orgs(conn, id, o);
    ctl_script(conn, "commit", "COMMIT");
    PQfinish(conn);
    printf("client_id=%s\nclient_secret=%s\n", id, secret);
    crypto_wipe(secret, sizeof secret);
    return 0;
}

static int registry_client(const char *verb, const struct ctl_options *o)
{
    if (strcmp(verb, "create") == 0)
        return registry_client_create(o);
    if (strcmp(verb, "list") == 0) {
        const char *const params[] = {ctl_option(o, "org")};
        return registry_print("SELECT c.client_id, CASE WHEN c.active THEN 'active' ELSE 'disabled' END, c.name,"
                              " string_agg(o.ims_org_id, ',' ORDER BY o.ims_org_id), array_to_string(c.rights, ',')"
                              " FROM consign.client c JOIN consign.client_org e USING (client)"
                              " JOIN consign.org o USING (org) GROUP BY c.client"
                              " HAVING $1::text IS NULL OR bool_or(o.ims_org_id = $1) ORDER BY c.client", 1, params);
    }
    const char *const params[] = {ctl_need(o, "id")};
    if (strcmp(verb, "disable") == 0)
        return registry_change("UPDATE consign.client SET active = false WHERE client_id = $1", 1, params, "client");
    if (strcmp(verb, "enable") == 0)
        return registry_change("UPDATE consign.client SET active = true WHERE client_id = $1", 1, params, "client");
    return -1;
}

int ctl_registry(const char *kind, const char *verb, const struct ctl_options *options)
{
    if (strcmp(kind, "org") == 0)
        return registry_org(verb, options);
    if (strcmp(kind, "sandbox") == 0)
        return registry_sandbox(verb, options);
    if (strcmp(kind, "client") == 0)
        return registry_client(verb, options);
    return -1;
}
