/*
 * audit: the line of a call that changes something. See audit.h.
 */
#include "responder/audit.h"

#include <string.h>

#include "lib/crypto.h"
#include "lib/log.h"
#include "responder/call.h"
#include "responder/routes.h"

bool audit_method(enum method method)
{
    return method == METHOD_POST || method == METHOD_PUT || method == METHOD_PATCH || method == METHOD_DELETE;
}

void audit_note_token(struct audit_note *note, const char *token, size_t length)
{
    char digest[CRYPTO_SHA256_HEX];
    crypto_sha256_hex(token, length, digest);
    memcpy(note->token, digest, AUDIT_TOKEN_DIGITS);
    note->token[AUDIT_TOKEN_DIGITS] = '\0';
}

/* What was made or touched, in quotes; the variable parts of the path when no handler said better. */
static const char *audit_object(const struct call *c)
{
    const char *object = c->audit.object;
    for (int i = 0; c->audit.object == NULL && i < CALL_SEGMENTS_MAX && c->segment[i] != NULL; i++)
        object = i == 0 ? c->segment[0] : arena_printf(c->arena, "%s/%s", object, c->segment[i]);
    return object == NULL ? "-" : log_quote(object);
}

/* The client, in quotes: also a verified one is a text from outside. */
static const char *audit_client(const struct call *c)
{
    if (c->audit.client != NULL)
        return log_quote(c->audit.client);
    return c->scope.org > 0 ? log_quote(c->scope.client_id) : "-";
}

bool audit_write(const struct call *c, bool cut, int64_t ms)
{
    if (c->route == NULL || !audit_method(c->request.method) ||
        (c->scope.org <= 0 && c->route->gate != ROUTE_PUBLIC))
        return false;
    if (c->scope.org <= 0) /* so that every line has the same members */
        log_context("req=%s org=- sandbox=-", c->request.id);
    log_audit("action=%s object=%s status=%d problem=%s client=%s token=%s ms=%lld",
              c->audit.action != NULL ? c->audit.action : c->route->name, audit_object(c), cut ? 0 : c->reply.status,
              c->audit.fault != FAULT_NONE ? fault_row(c->audit.fault)->name : "-", audit_client(c),
              c->audit.token[0] != '\0' ? c->audit.token : "-", (long long)ms);
    return true;
}
