/*
 * objects: requests of an object store. See objects.h.
 */
#include "core/objects.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/object_store.h"
#include "core/object_xml.h"
#include "core/objects_internal.h"
#include "lib/clock.h"
#include "lib/invariant.h"
#include "lib/log.h"

#define OBJECTS_SILENCE_MS 20000 /* of the store in one request */
#define OBJECTS_LOOK_MS 50
#define OBJECTS_CODE_MAX 64
#define OBJECTS_URL_MAX 4096

/* Pauses before it is tried again; each gets up to as much again by chance, so that workers don't come together. */
static const int OBJECTS_PAUSES_MS[] = {100, 400, 1500};
#define OBJECTS_TRIES (sizeof OBJECTS_PAUSES_MS / sizeof *OBJECTS_PAUSES_MS + 1)

static struct http *connection; /* of this process */

/* ---- waiting ---- */

static bool objects_over(void *patience)
{
    const struct objects_patience *p = patience;
    return (p->until_ms != 0 && clock_monotonic_ms() >= p->until_ms) ||
           (p->stop.asked != NULL && p->stop.asked(p->stop.arg));
}

static enum fault objects_pause(const struct objects_patience *p, int pause_ms)
{
    unsigned char chance;
    crypto_random(&chance, 1);
    int64_t until = clock_monotonic_ms() + pause_ms + pause_ms * chance / 255;
    while (clock_monotonic_ms() < until) {
        if (objects_over((void *)(uintptr_t)p))
            return FAULT_STOPPED;
        poll(NULL, 0, OBJECTS_LOOK_MS);
    }
    return FAULT_NONE;
}

/* ---- what an answer means ---- */

/* Codes of a 4xx answer that are not about what was asked but about how it came; two are of a host whose clock is wrong:
 * another may take the work. */
static bool objects_code_passes(const char *code)
{
    static const char *const CODES[] = {"RequestTimeout", "BadDigest", "XAmzContentSHA256Mismatch", "IncompleteBody",
                                        "InternalError", "SlowDown", "OperationAborted", "ConditionalRequestConflict",
                                        "RequestTimeTooSkewed", "RequestExpired"};
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++) {
        if (strcmp(code, CODES[i]) == 0)
            return true;
    }
    return false;
}

static enum fault objects_judge(const struct objects_call *c, const struct http_answer *a)
{
    char code[OBJECTS_CODE_MAX];
    const struct object_xml body = {a->body.data, a->body.length};
    struct object_xml in = body, error;
    bool good = a->status >= 200 && a->status < 300;
    /* the end of an upload may answer 200 and tell of an error behind that */
    if (good && !object_xml_next(&in, "Error", &error))
        return a->body.overflow ? FAULT_MEMORY : FAULT_NONE;
    (void)object_xml_text(body, "Code", code, sizeof code);
    if (a->status == 404 && (strcmp(code, "NoSuchKey") == 0 || strcmp(code, "NoSuchUpload") == 0))
        return FAULT_NOT_FOUND;
    /* any other 404 is of a balancer whose store restarts, or the answer to a HEAD */
    bool passes = good || a->status == 408 || a->status == 429 || (a->status == 404 && strcmp(code, "NoSuchBucket") != 0) ||
                  (a->status >= 500 && a->status != 501) || objects_code_passes(code);
    log_event(passes ? LOG_WARN : LOG_ERROR, "object_store", "method=%s key=%s status=%d code=%s", c->method,
              log_quote(c->key == NULL ? "" : c->key), a->status, log_quote(code));
    return passes ? FAULT_DISK : FAULT_STORE;
}

/* ---- a call ---- */

/* What libcurl is to sign for, and the header lines. */
struct objects_signing {
    char provider[128];
    char sha256[128];
    char type[256];
    char token[SIGV4_TOKEN_MAX + 32];
    const char *header[4];
};

static void objects_sign(const struct objects_call *c, struct objects_signing *s)
{
    const struct object_store *store = object_store();
    size_t n = 0;
    snprintf(s->provider, sizeof s->provider, "aws:amz:%s:s3", store->region);
    snprintf(s->sha256, sizeof s->sha256, "x-amz-content-sha256: %s", c->sha256 == NULL ? SIGV4_EMPTY : c->sha256);
    s->header[n++] = s->sha256;
    if (c->type != NULL) {
        snprintf(s->type, sizeof s->type, "Content-Type: %s", c->type);
        s->header[n++] = s->type;
    }
    if (store->token[0] != '\0') {
        snprintf(s->token, sizeof s->token, "x-amz-security-token: %s", store->token);
        s->header[n++] = s->token;
    }
    s->header[n] = NULL;
}

static bool objects_url(const struct objects_call *c, char url[OBJECTS_URL_MAX])
{
    const struct object_store *s = object_store();
    bool key = c->key != NULL;
    int length = snprintf(url, OBJECTS_URL_MAX, "%s%s%s%s%s%s%s", s->origin, s->bucket, key ? "/" : "", key ? s->prefix : "",
                          key ? c->key : "", *c->query == '\0' ? "" : "?", c->query);
    return length > 0 && length < OBJECTS_URL_MAX;
}

/* One try. */
static enum fault objects_try(const struct objects_call *c, const struct objects_patience *p, const char *url,
                              struct http_answer *answer)
{
    struct objects_signing signing;
    objects_sign(c, &signing);
    struct http_request request = {.method = c->method,
                                   .url = url,
                                   .header = signing.header,
                                   .ca_file = object_store()->ca_file,
                                   .sigv4 = signing.provider,
                                   .user = object_store()->access,
                                   .secret = object_store()->secret,
                                   .body = c->body,
                                   .length = c->length,
                                   .file = c->file,
                                   .from_file = c->from_file,
                                   .offset = c->offset,
                                   .stop = {objects_over, (void *)(uintptr_t)p},
                                   .silence_ms = OBJECTS_SILENCE_MS,
                                   .answer_most = OBJECTS_ANSWER_MAX,
                                   .take = c->take,
                                   .take_arg = c->take_arg};
    enum http_outcome outcome = http_call(connection, &request, answer);
    return outcome == HTTP_STOPPED ? FAULT_STOPPED : outcome == HTTP_CUT ? FAULT_DISK : objects_judge(c, answer);
}

enum fault objects_call(const struct objects_call *c, const struct objects_patience *p, struct http_answer *answer)
{
    char url[OBJECTS_URL_MAX];
    *answer = (struct http_answer){.length = -1};
    if (connection == NULL)
        connection = http_new();
    if (connection == NULL)
        return FAULT_MEMORY;
    if (!objects_url(c, url))
        return FAULT_INTERNAL;
    enum fault fault = objects_try(c, p, url, answer);
    for (size_t i = 1; fault == FAULT_DISK && !c->once && i < OBJECTS_TRIES; i++) {
        fault = objects_pause(p, OBJECTS_PAUSES_MS[i - 1]);
        if (fault != FAULT_NONE)
            break;
        str_free(&answer->body);
        fault = objects_try(c, p, url, answer);
    }
    return fault;
}

void objects_append_value(struct str *out, const char *value)
{
    for (; *value != '\0'; value++) {
        bool plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
                     (*value >= '0' && *value <= '9') || strchr("-._~", *value) != NULL;
        if (plain)
            str_append_char(out, *value);
        else
            str_printf(out, "%%%02X", (unsigned char)*value);
    }
}

const char *objects_relative(const char *key)
{
    const char *prefix = object_store()->prefix;
    size_t length = strlen(prefix);
    return strncmp(key, prefix, length) == 0 ? key + length : NULL;
}

/* ---- plain calls ---- */

enum fault objects_read(const char *key, bool (*take)(void *arg, const char *bytes, size_t length), void *arg,
                        const struct objects_patience *p)
{
    struct http_answer answer;
    /* not again by itself: half of it may have been taken */
    struct objects_call call = {.method = "GET", .key = key, .query = "", .take = take, .take_arg = arg, .once = true};
    enum fault fault = objects_call(&call, p, &answer);
    str_free(&answer.body);
    return fault;
}

/* DELETE; of what is not there any more it is as good. */
static enum fault objects_delete(const char *key, const char *query, const struct objects_patience *p)
{
    struct http_answer answer;
    struct objects_call call = {.method = "DELETE", .key = key, .query = query, .once = p->once};
    enum fault fault = objects_call(&call, p, &answer);
    str_free(&answer.body);
    return fault == FAULT_NOT_FOUND ? FAULT_NONE : fault;
}

enum fault objects_remove(const char *key, const struct objects_patience *p)
{
    return objects_delete(key, "", p);
}

enum fault objects_abort(const char *key, const char *upload, const struct objects_patience *p)
{
    struct str query = STR_INIT(OBJECTS_URL_MAX);
    str_append_text(&query, "uploadId=");
    objects_append_value(&query, upload);
    enum fault fault = query.overflow ? FAULT_INTERNAL : objects_delete(key, query.data, p);
    str_free(&query);
    return fault;
}

/* ---- removing what has a prefix ---- */

struct objects_removal {
    struct objects_patience p; /* of the next one */
    int64_t until_ms;          /* of all */
    int64_t removed;
    char last[OBJECTS_KEY_MAX]; /* key that was seen */
    enum fault left;            /* why something stays */
};

enum fault objects_go_on(enum fault fault, enum fault *left, struct objects_patience *p)
{
    if (fault != FAULT_DISK && fault != FAULT_STORE)
        return fault;
    *left = *left == FAULT_NONE ? fault : *left;
    p->once = true;
    return FAULT_NONE;
}

/* The time of the next one begins. */
static void objects_removal_begin(struct objects_removal *r)
{
    if (r->p.each_ms == 0)
        return;
    r->p.until_ms = clock_monotonic_ms() + r->p.each_ms;
    if (r->until_ms != 0 && r->until_ms < r->p.until_ms)
        r->p.until_ms = r->until_ms;
}

/* One was removed, or was not. */
static enum fault objects_removal_note(struct objects_removal *r, enum fault fault)
{
    if (fault == FAULT_NONE) {
        r->removed++;
        objects_removal_begin(r);
    }
    return objects_go_on(fault, &r->left, &r->p);
}

static enum fault objects_remove_key(void *arg, const char *key)
{
    struct objects_removal *r = arg;
    str_copy_fitting(r->last, sizeof r->last, key);
    return objects_removal_note(r, objects_remove(key, &r->p));
}

static enum fault objects_remove_upload(void *arg, const char *key, const char *upload)
{
    struct objects_removal *r = arg;
    return objects_removal_note(r, objects_abort(key, upload, &r->p));
}

enum fault objects_remove_all(const char *prefix, const struct objects_patience *p, int64_t *removed)
{
    struct objects_removal removal = {.p = *p, .until_ms = p->until_ms};
    bool over = false;
    INVARIANT(*prefix != '\0'); /* never the whole lake */
    objects_removal_begin(&removal);
    /* uploads first: one that ends meanwhile becomes an object */
    enum fault fault = objects_uploads(prefix, objects_remove_upload, &removal, &removal.p);
    while (fault == FAULT_NONE && !over)
        fault = objects_keys(prefix, removal.last, objects_remove_key, &removal, &over, &removal.p);
    *removed = removal.removed;
    return fault == FAULT_NONE ? removal.left : fault;
}
