/*
 * reply: the answer to one request. See reply.h.
 */
#include "responder/reply.h"

#include <stdio.h>
#include <string.h>

#include "lib/invariant.h"

#define REPLY_JSON "application/json"
#define REPLY_PROBLEM "application/problem+json"

void reply_header(struct reply *reply, const char *name, const char *value)
{
    INVARIANT(reply->header_count < REPLY_HEADERS_MAX);
    if (value == NULL)
        return; /* the arena is exhausted; that is checked once before answering */
    for (const char *p = value; *p != '\0'; p++)
        INVARIANT((unsigned char)*p >= 0x20 && *p != 0x7f);
    reply->header[reply->header_count++] = (struct reply_header){name, value};
}

void reply_text(struct reply *reply, int status, const char *text, size_t length)
{
    reply->status = status;
    reply->content_type = REPLY_JSON;
    reply->body = text;
    reply->length = length;
}

enum fault reply_json(struct reply *reply, struct arena *a, int status, struct json_object *tree)
{
    reply->status = status;
    reply->content_type = REPLY_JSON;
    reply->body = jsonio_print(a, tree, &reply->length);
    return reply->body == NULL ? FAULT_MEMORY : FAULT_NONE;
}

/* What stands when there is no memory for more: the same problem as ever, in memory of its own. */
static void reply_bare(struct reply *reply, const char *request_id)
{
    static char body[512];
    const struct fault_row *row = fault_row(FAULT_MEMORY);
    int n = snprintf(body, sizeof body,
                     "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\",\"requestId\":\"%s\"}",
                     row->slug, row->title, row->status, row->title, request_id);
    INVARIANT(n > 0 && (size_t)n < sizeof body);
    *reply = (struct reply){.status = row->status, .content_type = REPLY_PROBLEM, .body = body, .length = (size_t)n};
}

void reply_problem(struct reply *reply, struct arena *a, enum fault fault, const char *detail, const char *pointer,
                   const char *request_id)
{
    const struct fault_row *row = fault_row(fault);
    struct json_object *problem = jsonio_own(a, json_object_new_object());
    char type[80];
    snprintf(type, sizeof type, "/problems/%s", row->slug);
    jsonio_add_text(problem, "type", type);
    jsonio_add_text(problem, "title", row->title);
    jsonio_add_int(problem, "status", row->status);
    jsonio_add_text(problem, "detail", detail != NULL ? detail : row->title);
    jsonio_add_text(problem, "requestId", request_id);
    jsonio_add_text(problem, "pointer", pointer);
    if (problem == NULL || reply_json(reply, a, row->status, problem) != FAULT_NONE) {
        reply_bare(reply, request_id);
        return;
    }
    reply->content_type = REPLY_PROBLEM;
    if (row->retryable)
        reply_header(reply, "Retry-After", "1");
}

void reply_gateway(struct reply *reply, struct arena *a, int status, const char *code, const char *message)
{
    struct json_object *body = jsonio_own(a, json_object_new_object());
    jsonio_add_text(body, "error_code", code);
    jsonio_add_text(body, "message", message);
    if (body == NULL || reply_json(reply, a, status, body) != FAULT_NONE)
        reply_bare(reply, "-");
}

/* nginx takes the reason phrase from here too; it has none of its own for FastCGI answers. */
static const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } REASONS[] = {{200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {207, "Multi-Status"},
                   {304, "Not Modified"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {408, "Request Timeout"},
                   {409, "Conflict"},
                   {410, "Gone"},
                   {413, "Content Too Large"},
                   {414, "URI Too Long"},
                   {415, "Unsupported Media Type"},
                   {416, "Range Not Satisfiable"},
                   {422, "Unprocessable Content"},
                   {429, "Too Many Requests"},
                   {431, "Request Header Fields Too Large"},
                   {500, "Internal Server Error"},
                   {503, "Service Unavailable"}};
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        if (REASONS[i].status == status)
            return REASONS[i].reason;
    }
    return "";
}

const char *reply_print(const struct reply *reply, struct arena *a, const char *request_id, bool head_only,
                        size_t *length)
{
    static char last[1024];
    struct reply bare;
    size_t room = reply->length + 512 + strlen(request_id);
    for (int i = 0; i < reply->header_count; i++)
        room += strlen(reply->header[i].name) + strlen(reply->header[i].value) + 4;
    char *out = arena_alloc(a, room);
    if (out == NULL) { /* the answer itself was what did not fit */
        reply_bare(&bare, request_id);
        reply = &bare;
        out = last;
        room = sizeof last;
    }
    int n = snprintf(out, room, "Status: %d %s\r\nX-Request-Id: %s\r\n", reply->status,
                     reply_reason(reply->status), request_id);
    size_t used = (size_t)n;
    if (reply->content_type != NULL)
        used += (size_t)snprintf(out + used, room - used, "Content-Type: %s\r\n", reply->content_type);
    for (int i = 0; i < reply->header_count; i++)
        used += (size_t)snprintf(out + used, room - used, "%s: %s\r\n", reply->header[i].name, reply->header[i].value);
    if (reply->content_type != NULL && reply->body != NULL)
        used += (size_t)snprintf(out + used, room - used, "Content-Length: %zu\r\n", reply->length);
    used += (size_t)snprintf(out + used, room - used, "\r\n");
    INVARIANT(used + reply->length < room);
    if (!head_only && reply->body != NULL) {
        memcpy(out + used, reply->body, reply->length);
        used += reply->length;
    }
    *length = used;
    return out;
}
