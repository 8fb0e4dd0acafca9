/*
 * call: what handlers have in common. See call.h.
 */
#include "responder/call.h"

#include <string.h>

#include "lib/conf.h"
#include "lib/crypto.h"
#include "lib/invariant.h"

#define CALL_PARAMS_MAX 20
#define CALL_TEXT_KEPT (64u * 1024u) /* a larger buffer is given back before the next request that needs one */

enum fault call_db(struct call *c, const struct stmt *stmt, const char *const *params, int count,
                   struct db_rows *rows)
{
    const char *all[CALL_PARAMS_MAX];
    /* SECURITY: no tenant, no statement */
    INVARIANT(c->scope.org > 0 && c->scope.sandbox > 0 && count + 2 <= CALL_PARAMS_MAX && stmt->params == count + 2);
    all[0] = arena_int(c->arena, c->scope.org);
    all[1] = arena_int(c->arena, c->scope.sandbox);
    if (all[0] == NULL || all[1] == NULL)
        return FAULT_MEMORY;
    for (int i = 0; i < count; i++)
        all[i + 2] = params[i];
    if (arena_exhausted(c->arena))
        return FAULT_MEMORY; /* a parameter could be missing */
    return db_call(c->worker->db, c->arena, c->scope.org, stmt, all, rows);
}

enum fault call_refuse(struct call *c, enum fault fault, const char *pointer, const char *detail)
{
    c->pointer = pointer;
    c->detail = detail;
    return fault;
}

enum fault call_body_object(struct call *c, struct json_object **out)
{
    struct jsonio_refusal broken;
    enum fault fault = jsonio_parse(c->arena, c->body, c->body_length, JSCAN_REQUEST_LIMITS, out, &broken);
    if (fault == FAULT_MALFORMED)
        return call_refuse(c, fault, "", arena_printf(c->arena, "%s at byte %zu", broken.reason, broken.offset));
    if (fault == FAULT_NONE && !json_object_is_type(*out, json_type_object))
        return call_refuse(c, FAULT_MALFORMED, "", "must be an object");
    return fault;
}

struct str *call_text(struct call *c, size_t bound)
{
    struct str *text = &c->worker->text;
    if (text->capacity > CALL_TEXT_KEPT)
        str_free(text);
    text->bound = bound;
    str_reset(text);
    return text;
}

enum fault call_answer_text(struct call *c, const struct str *text)
{
    if (text->overflow)
        return FAULT_MEMORY;
    reply_text(&c->reply, 200, text->data, text->length);
    return FAULT_NONE;
}

const char *call_link(struct call *c, const char *path)
{
    return arena_printf(c->arena, "%s%s", conf_text(CONF_PUBLIC_URL), path);
}

const char *call_sandbox_type(const char *sandbox)
{
    return strcmp(sandbox, "prod") == 0 ? "production" : "development";
}

enum fault call_idempotency(struct call *c, const char **key, const char **body)
{
    const char *given = request_param(&c->request, "HTTP_IDEMPOTENCY_KEY");
    *key = *body = NULL;
    if (given == NULL)
        return FAULT_NONE;
    size_t length = strlen(given);
    bool good = length >= 1 && length <= 255 && request_param_count(&c->request, "HTTP_IDEMPOTENCY_KEY") == 1;
    for (size_t i = 0; i < length; i++)
        good = good && given[i] >= 0x20 && given[i] <= 0x7e;
    if (!good)
        return call_refuse(c, FAULT_MALFORMED, NULL, "Idempotency-Key: one value of 1 to 255 printable ASCII characters");
    char *key_hex = arena_alloc(c->arena, CRYPTO_SHA256_HEX), *body_hex = arena_alloc(c->arena, CRYPTO_SHA256_HEX);
    if (key_hex == NULL || body_hex == NULL)
        return FAULT_MEMORY;
    crypto_sha256_hex(given, length, key_hex);
    crypto_sha256_hex(c->body, c->body_length, body_hex);
    *key = key_hex;
    *body = body_hex;
    return FAULT_NONE;
}

enum fault call_key_refusal(struct call *c, enum fault fault)
{
    if (fault == FAULT_KEY_REUSED)
        return call_refuse(c, fault, NULL, "Idempotency-Key: was used with another body");
    return fault;
}
