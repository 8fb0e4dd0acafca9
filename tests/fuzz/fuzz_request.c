/*
 * fuzz_request: the parameters and body of a FastCGI request, and the path to its route.
 *
 * What libfcgi would hand over is built from the input: an environment, and a stream that ends where
 * it must or is cut. The copy is bounded, owns its texts and says the same as the environment; method,
 * id, path, length and age follow their rules; the segments of a route are text and never a way upwards; a
 * body is taken exactly when it has the announced length.
 *
 * Input: a byte of flags (1: cut between the parameters, 2: cut in the body, the rest makes the pieces
 * of the body), NAME=value strings that end with NUL, an empty one, then the body.
 */
#include "fuzz.h"

/* the responder is no part of the archive, and what is looked at is private to this file */
#include "responder/request.c" /* NOLINT(bugprone-suspicious-include) */
#include "responder/queue_age.h"
#include "responder/routes.h"

#define ENVIRONMENT_MAX 512
#define BODY_MOST 4096u

/* The body's stream as libfcgi calls it. */
struct body {
    unsigned char *at;
    size_t left, piece;
    bool cut;
};

static void body_fill(FCGX_Stream *stream)
{
    struct body *body = stream->data;
    size_t size = body->left < body->piece ? body->left : body->piece;
    if (size == 0) {
        stream->isClosed = 1;
        stream->FCGI_errno = body->cut ? FCGX_PROTOCOL_ERROR : 0;
        return;
    }
    stream->rdNext = stream->stopUnget = body->at;
    stream->stop = stream->wrNext = body->at + size;
    body->at += size;
    body->left -= size;
}

/* contract.md section 2: what an x-request-id may be. */
static bool id_good(const char *id)
{
    size_t length = strlen(id);
    for (size_t i = 0; i < length; i++) {
        char c = id[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return length >= 1 && length <= 128;
}

static void check_id(const struct request *r)
{
    const char *own = request_param(r, "HTTP_X_REQUEST_ID"), *made = request_param(r, "REQUEST_ID");
    bool use_own = own != NULL && id_good(own) && request_param_count(r, "HTTP_X_REQUEST_ID") == 1;
    bool use_made = made != NULL && id_good(made);
    INVARIANT(strcmp(r->id, use_own ? own : use_made ? made : "-") == 0);
}

static void check_method(const struct request *r)
{
    static const char *const NAMES[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
    const char *name = request_param(r, "REQUEST_METHOD");
    bool known = false;
    for (int i = METHOD_GET; i <= METHOD_DELETE; i++) {
        bool same = name != NULL && strcmp(name, NAMES[i]) == 0;
        INVARIANT(same == (r->method == (enum method)i));
        known = known || same;
    }
    INVARIANT(known == (r->method != METHOD_OTHER));
}

/* The parameters are those strings with a name, in order, as they were. */
static void check_params(const struct request *r, const char *copy, const char *end)
{
    char *at = (char *)(uintptr_t)copy;
    int n = 0;
    size_t bytes = 0;
    for (const char *text; (text = fuzz_next(&at, end)) != NULL && *text != '\0';) {
        const char *equals = strchr(text, '=');
        bytes += strlen(text) + 1;
        if (equals == NULL)
            continue;
        INVARIANT(n < r->param_count);
        INVARIANT(strlen(r->param[n].name) == (size_t)(equals - text));
        INVARIANT(strncmp(r->param[n].name, text, (size_t)(equals - text)) == 0);
        INVARIANT(strcmp(r->param[n].value, equals + 1) == 0);
        INVARIANT(request_param_count(r, r->param[n].name) >= 1);
        n++;
    }
    INVARIANT(n == r->param_count && n <= REQUEST_PARAMS_MAX && bytes <= REQUEST_PARAMS_BYTES);
}

static void check_line(const struct request *r)
{
    const char *uri = request_param(r, "REQUEST_URI");
    INVARIANT(uri != NULL && *r->path == '/' && strlen(uri) <= REQUEST_PATH_MAX);
    INVARIANT(strchr(r->path, '?') == NULL);
    size_t path = strlen(r->path);
    INVARIANT(strncmp(uri, r->path, path) == 0 && (uri[path] == '\0' || uri[path] == '?'));
    INVARIANT(strcmp(r->query, uri[path] == '\0' ? "" : uri + path + 1) == 0);
    INVARIANT(r->content_length >= -1 && r->content_length < INT64_C(1000000000000000));
}

static void check_route(struct arena *arena, const struct request *r)
{
    static struct call c;
    const char *allow = NULL;
    c = (struct call){.arena = arena, .request = *r};
    enum route_match match = routes_match(&c, &allow);
    INVARIANT(match != ROUTE_NO_METHOD || (allow != NULL && *allow != '\0'));
    if (match != ROUTE_FOUND)
        return;
    INVARIANT(c.route->method == r->method || (c.route->method == METHOD_GET && r->method == METHOD_HEAD));
    INVARIANT((c.route->gate == ROUTE_OPS) == r->ops);
    int variables = 0;
    for (const char *p = c.route->pattern; *p != '\0'; p++)
        variables += *p == '*';
    for (int i = 0; i < CALL_SEGMENTS_MAX; i++) {
        const char *segment = c.segment[i];
        INVARIANT((segment != NULL) == (i < variables));
        if (segment == NULL)
            continue;
        INVARIANT(*segment != '\0' && strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0);
        INVARIANT(fuzz_is_text(segment, strlen(segment)));
        for (const char *p = segment; *p != '\0'; p++)
            INVARIANT((unsigned char)*p >= 0x20 && *p != 0x7f);
    }
}

/* Whatever CONSIGN_RECEIVED says, an age is one that can be, and only a whole $msec says anything. */
static void check_age(const struct request *r)
{
    const int64_t now = INT64_C(1800000000000);
    const char *received = request_param(r, "CONSIGN_RECEIVED");
    int64_t age = queue_age_ms(received, now, INT64_C(7200000));
    INVARIANT(age >= 0 && age <= 3600000);
    INVARIANT(age == 0 || queue_age_read(received) == now - age);
    INVARIANT(queue_age_ms(received, now, 0) == 0);
    INVARIANT(received == NULL || queue_age_read(received) >= -1);
}

static void check_body(struct request_listener *l, struct request *r, const char *sent, size_t length, bool cut)
{
    const char *body = NULL;
    size_t got = 0;
    enum fault fault = request_read_body(l, r, BODY_MOST, &body, &got);
    if (r->content_length < 0)
        INVARIANT(fault == FAULT_MALFORMED);
    else if (r->content_length > (int64_t)BODY_MOST)
        INVARIANT(fault == FAULT_BODY_TOO_LARGE);
    else if ((int64_t)length != r->content_length || cut)
        INVARIANT(fault == FAULT_CONNECTION_CUT);
    else
        INVARIANT(fault == FAULT_NONE && got == length && memcmp(body, sent, length) == 0 && body[got] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    static struct request request;
    char *environment[ENVIRONMENT_MAX + 1];
    int count = 0;
    if (arena == NULL)
        arena = arena_new(4u << 20);
    if (size == 0)
        return 0;
    arena_reset(arena);
    char *input = arena_copy(arena, (const char *)data + 1, size - 1), *kept = arena_copy(arena, input, size - 1);
    char *at = input, *end = input + size - 1;
    for (char *text; count < ENVIRONMENT_MAX && (text = fuzz_next(&at, end)) != NULL && *text != '\0';)
        environment[count++] = text;
    environment[count] = NULL;
    at = at < end ? at : end;
    size_t body_length = (size_t)(end - at);
    const char *sent = arena_copy(arena, at, body_length);

    bool early = (data[0] & 1) != 0;
    struct body body = {(unsigned char *)at, body_length, 1 + (data[0] >> 2), (data[0] & 2) != 0};
    FCGX_Stream in = {.isReader = 1, .fillBuffProc = body_fill, .data = &body};
    in.FCGI_errno = early ? FCGX_PROTOCOL_ERROR : 0;
    struct request_listener l = {.fcgi = {.in = &in, .envp = environment}};
    enum fault fault = request_copy(&l, arena, &request);
    memset(input, 'X', (size_t)(at - input)); /* the library's memory is its own again */
    INVARIANT((fault == FAULT_CONNECTION_CUT) == early);
    INVARIANT(request.param_count <= REQUEST_PARAMS_MAX);
    if (fault == FAULT_NONE && count < ENVIRONMENT_MAX) {
        check_params(&request, kept, kept + size - 1);
        check_id(&request);
        check_method(&request);
        check_line(&request);
        check_age(&request);
        check_route(arena, &request);
        check_body(&l, &request, sent, body_length, body.cut);
    }
    arena_reset(arena);
    return 0;
}
