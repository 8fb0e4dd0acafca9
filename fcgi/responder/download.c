/*
 * download: has nginx send a file. See download.h.
 */
#include "responder/download.h"

#include <string.h>

#include "core/object_store.h"
#include "lib/clock.h"
#include "responder/byte_range.h"

#define DOWNLOAD_DIRECTORY "/_lake/" /* the internal locations of nginx/consign.conf and consign/objects.conf */
#define DOWNLOAD_OBJECTS "/_objects"

/* Whether If-None-Match holds the tag, or is "*" (RFC 9110 section 13.1.2, weak comparison). */
static bool download_none_match(const struct call *c, const char *tag)
{
    const char *given = request_param(&c->request, "HTTP_IF_NONE_MATCH");
    return given != NULL && (strcmp(given, "*") == 0 || strstr(given, tag) != NULL);
}

/* The client's Range, when it is for the store; else NULL. */
static const char *download_range(const struct call *c, const struct download *file)
{
    const char *range = request_param(&c->request, "HTTP_RANGE");
    const char *condition = request_param(&c->request, "HTTP_IF_RANGE");
    bool holds = condition == NULL || strcmp(condition, file->tag) == 0;
    return range != NULL && holds && byte_range_plain(range, file->bytes) ? range : NULL;
}

static enum fault download_by_store(struct call *c, const struct object_store *store, const struct download *file,
                                    const char *relative)
{
    struct object_store_pass *pass = arena_alloc(c->arena, sizeof *pass);
    const char *path = arena_printf(c->arena, "%s/%s", relative, file->name);
    if (pass == NULL || path == NULL)
        return FAULT_MEMORY;
    enum fault fault = object_store_sign(store, c->request.method == METHOD_HEAD ? "HEAD" : "GET", path, clock_wall_ms(), pass);
    if (fault != FAULT_NONE)
        return fault;
    const char *range = download_range(c, file);
    reply_header(&c->reply, "X-Accel-Redirect", arena_printf(c->arena, DOWNLOAD_OBJECTS "%s", pass->path));
    reply_header(&c->reply, "X-Consign-Authorization", pass->authorization);
    reply_header(&c->reply, "X-Consign-Date", pass->date);
    if (pass->token[0] != '\0')
        reply_header(&c->reply, "X-Consign-Token", pass->token);
    if (range != NULL)
        reply_header(&c->reply, "X-Consign-Range", range);
    return FAULT_NONE;
}

enum fault download_send(struct call *c, const struct download *file)
{
    char relative[LAKE_PATH_MAX];
    const struct object_store *store = object_store();
    enum fault fault = lake_attempt_relative(relative, &file->batch, file->attempt);
    if (fault != FAULT_NONE)
        return fault;
    reply_header(&c->reply, "ETag", file->tag);
    reply_header(&c->reply, "Cache-Control", "private, max-age=31536000, immutable");
    if (download_none_match(c, file->tag)) {
        c->reply.status = 304;
        return FAULT_NONE;
    }
    c->reply.status = 200;
    c->reply.content_type = file->type;
    if (store != NULL)
        return download_by_store(c, store, file, relative);
    reply_header(&c->reply, "X-Accel-Redirect", arena_printf(c->arena, DOWNLOAD_DIRECTORY "%s/%s", relative, file->name));
    return FAULT_NONE;
}
