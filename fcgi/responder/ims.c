/*
 * ims: the token endpoint (client credentials, RFC 6749 section 4.4) and its public keys.
 */
#include <string.h>

#include "core/right.h"
#include "core/stmt_api.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/crypto.h"
#include "responder/handlers.h"
#include "responder/query.h"

/* RFC 6749 section 5.1: an answer with a token, or about one, is not to be stored. */
static void ims_no_store(struct call *c)
{
    reply_header(&c->reply, "Cache-Control", "no-store");
    reply_header(&c->reply, "Pragma", "no-cache");
}

/* An error of RFC 6749 section 5.2. */
static enum fault ims_error(struct call *c, int status, const char *error, const char *description)
{
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    ims_no_store(c);
    jsonio_add_text(body, "error", error);
    jsonio_add_text(body, "error_description", description);
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, status, body);
}

/* Whether the secret is the client's; *rights are its registered ones. An unknown client costs the
 * same work as a wrong secret. */
static enum fault ims_check_client(struct call *c, const char *client_id, const char *secret, bool *good,
                                   unsigned *rights)
{
    struct db_rows rows;
    unsigned char salt[16] = {0}, stored[CRYPTO_SHA256_BYTES] = {0}, computed[CRYPTO_SHA256_BYTES];
    enum fault fault = db_call(c->worker->db, c->arena, 0, &STMT_CLIENT_SECRET, &client_id, &rows);
    if (fault != FAULT_NONE)
        return fault;
    bool known = rows.count == 1 && crypto_unhex(db_text(&rows, 0, 0), salt, sizeof salt) &&
                 crypto_unhex(db_text(&rows, 0, 1), stored, sizeof stored);
    crypto_secret_hash(salt, secret, computed);
    *good = crypto_equal(stored, computed, sizeof stored) && known;
    *rights = known ? right_parse(db_text(&rows, 0, 2), NULL) : 0;
    return FAULT_NONE;
}

static enum fault ims_answer(struct call *c, const char *client_id, const char *scope, unsigned registered)
{
    char granted[256];
    const char *token;
    int64_t lifetime_s = conf_number(CONF_TOKEN_LIFETIME_S);
    unsigned asked = scope == NULL ? 0 : right_parse(scope, NULL);
    /* scope names that are no right grant nothing and take nothing away */
    right_print(asked == 0 ? registered : asked & registered, ' ', granted, sizeof granted);
    if (asked != 0 && (asked & registered) == 0)
        return ims_error(c, 400, "invalid_scope", "the client has none of these rights");
    enum fault fault = token_issue(c->worker->keys, c->worker->own, c->arena, client_id, granted, clock_wall_ms() / 1000, lifetime_s,
                                   &token);
    if (fault != FAULT_NONE)
        return fault;
    audit_note_token(&c->audit, token, strlen(token));
    struct json_object *body = jsonio_own(c->arena, json_object_new_object());
    ims_no_store(c);
    jsonio_add_text(body, "access_token", token);
    jsonio_add_text(body, "token_type", "bearer");
    jsonio_add_int(body, "expires_in", lifetime_s);
    return body == NULL ? FAULT_MEMORY : reply_json(&c->reply, c->arena, 200, body);
}

enum fault ims_handle_token(struct call *c)
{
    struct query form;
    bool good = false;
    unsigned rights = 0;
    if (!query_parse(c->arena, c->body, &form) || strlen(c->body) != c->body_length)
        return ims_error(c, 400, "invalid_request", "the form is malformed");
    const char *grant = query_get(&form, "grant_type"), *client_id = query_get(&form, "client_id");
    const char *secret = query_get(&form, "client_secret");
    c->audit.client = client_id;
    if (grant == NULL || client_id == NULL || secret == NULL)
        return ims_error(c, 400, "invalid_request", "grant_type, client_id and client_secret are required");
    if (strcmp(grant, "client_credentials") != 0)
        return ims_error(c, 400, "unsupported_grant_type", "client_credentials is the one grant offered");
    enum fault fault = ims_check_client(c, client_id, secret, &good, &rights);
    if (fault != FAULT_NONE)
        return fault;
    if (!good)
        return ims_error(c, 401, "invalid_client", "unknown client, or wrong secret");
    return ims_answer(c, client_id, query_get(&form, "scope"), rights);
}

enum fault ims_handle_jwks(struct call *c)
{
    c->reply.status = 200;
    c->reply.content_type = "application/json";
    c->reply.body = keys_jwks(c->worker->keys);
    c->reply.length = strlen(c->reply.body);
    reply_header(&c->reply, "Cache-Control", "max-age=60");
    return FAULT_NONE;
}
