/*
 * request: libfcgi, and nothing else. See request.h.
 */
#include "responder/request.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request_listener {
    FCGX_Request fcgi;
    int64_t body_left; /* of what was announced */
    bool keepable;     /* it is a GET or HEAD, which nginx may send twice */
};

struct request_listener *request_listener_new(int fd)
{
    struct request_listener *l = calloc(1, sizeof *l);
    if (l == NULL || FCGX_Init() != 0 || FCGX_InitRequest(&l->fcgi, fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
        free(l);
        return NULL;
    }
    return l;
}

void request_listener_free(struct request_listener *l)
{
    if (l == NULL)
        return;
    FCGX_Free(&l->fcgi, 1);
    free(l);
}

enum request_accept request_accept(struct request_listener *l)
{
    l->keepable = false;
    int status = FCGX_Accept_r(&l->fcgi);
    if (status == 0)
        return REQUEST_ACCEPTED;
    return status == -EAGAIN || status == -EWOULDBLOCK || status == -EINTR ? REQUEST_NOTHING : REQUEST_FAILED;
}

int request_kept(const struct request_listener *l)
{
    return l->fcgi.ipcFd;
}

void request_release(struct request_listener *l)
{
    FCGX_Free(&l->fcgi, 1); /* detached when its last request ended, so nobody is waited for */
}

static const struct {
    const char *name;
    enum method method;
} METHODS[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_HEAD},   {"POST", METHOD_POST},
               {"PUT", METHOD_PUT}, {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE}};

static enum method request_method(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof METHODS / sizeof *METHODS; i++) {
        if (strcmp(name, METHODS[i].name) == 0)
            return METHODS[i].method;
    }
    return METHOD_OTHER;
}

/* Copies the parameters, within the bounds. */
static enum fault request_copy_params(FCGX_Request *fcgi, struct request *out)
{
    size_t bytes = 0;
    for (char **p = fcgi->envp; p != NULL && *p != NULL; p++) {
        size_t length = strlen(*p);
        const char *equals = strchr(*p, '=');
        bytes += length + 1;
        if (equals == NULL)
            continue;
        if (out->param_count == REQUEST_PARAMS_MAX || bytes > REQUEST_PARAMS_BYTES)
            return FAULT_HEADERS_TOO_LARGE;
        char *name = arena_copy(out->arena, *p, length);
        if (name == NULL)
            return FAULT_MEMORY;
        name[equals - *p] = '\0';
        out->param[out->param_count++] = (struct request_param){name, name + (equals - *p) + 1};
    }
    return FAULT_NONE;
}

const char *request_param(const struct request *r, const char *name)
{
    for (int i = 0; i < r->param_count; i++) {
        if (strcmp(r->param[i].name, name) == 0)
            return r->param[i].value;
    }
    return NULL;
}

int request_param_count(const struct request *r, const char *name)
{
    int n = 0;
    for (int i = 0; i < r->param_count; i++)
        n += strcmp(r->param[i].name, name) == 0;
    return n;
}

/* contract.md section 2: at most 128 of [A-Za-z0-9._-] */
static bool request_id_valid(const char *id)
{
    static const char GOOD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strspn(id, GOOD);
    return length > 0 && length <= REQUEST_ID_MAX && id[length] == '\0';
}

/* Of no upload there is a gate. "yes" and "refuse" are what became of the question "ask". */
static void request_read_gate(struct request *r)
{
    const char *gate = request_param(r, "CONSIGN_GATE");
    bool asks = gate != NULL && strcmp(gate, "ask") == 0;
    r->asked = gate != NULL && !asks;
    if (asks)
        r->stage = REQUEST_ASKS;
    else
        r->stage = gate == NULL || strcmp(gate, "yes") == 0 ? REQUEST_WHOLE : REQUEST_REFUSED;
}

/* How much of the body is to come. Of one that is not read some is always left: request_finish() must not wait for its end. */
static int64_t request_body_due(const struct request *r)
{
    if (r->stage != REQUEST_WHOLE)
        return r->stage == REQUEST_ASKS ? 0 : 1;
    return r->content_length > 0 ? r->content_length : 0;
}

static int64_t request_content_length(const char *text)
{
    if (text == NULL || *text == '\0')
        return 0;
    size_t digits = strspn(text, "0123456789");
    return digits > 15 || text[digits] != '\0' ? -1 : strtoll(text, NULL, 10);
}

static enum fault request_read_line(struct request *out)
{
    const char *uri = request_param(out, "REQUEST_URI");
    if (uri == NULL || uri[0] != '/')
        return FAULT_NO_ROUTE; /* also the absolute and asterisk forms, which no client of ours uses */
    if (strlen(uri) > REQUEST_PATH_MAX)
        return FAULT_URI_TOO_LONG;
    const char *question = strchr(uri, '?');
    out->path = question == NULL ? uri : arena_copy(out->arena, uri, (size_t)(question - uri));
    out->query = question == NULL ? "" : question + 1;
    return out->path == NULL ? FAULT_MEMORY : FAULT_NONE;
}

enum fault request_copy(struct request_listener *l, struct arena *a, struct request *out)
{
    *out = (struct request){.arena = a, .path = "", .query = "", .id = "-", .method = METHOD_OTHER};
    l->body_left = 0;
    /* SECURITY: a connection cut between two parameters looks complete; the library's error tells */
    if (!request_whole(l))
        return FAULT_CONNECTION_CUT;
    enum fault fault = request_copy_params(&l->fcgi, out);
    const char *own = request_param(out, "HTTP_X_REQUEST_ID");
    const char *made = request_param(out, "REQUEST_ID");
    if (own != NULL && request_id_valid(own) && request_param_count(out, "HTTP_X_REQUEST_ID") == 1)
        out->id = own;
    else if (made != NULL && request_id_valid(made))
        out->id = made;
    const char *listener = request_param(out, "CONSIGN_LISTENER");
    out->ops = listener != NULL && strcmp(listener, "ops") == 0;
    out->method = request_method(request_param(out, "REQUEST_METHOD"));
    l->keepable = out->method == METHOD_GET || out->method == METHOD_HEAD;
    out->content_length = request_content_length(request_param(out, "CONTENT_LENGTH"));
    request_read_gate(out);
    l->body_left = request_body_due(out);
    return fault != FAULT_NONE ? fault : request_read_line(out);
}

bool request_whole(struct request_listener *l)
{
    return FCGX_GetError(l->fcgi.in) == 0;
}

enum fault request_read_piece(struct request_listener *l, char *out, size_t size, size_t *got)
{
    size_t want = size > INT_MAX ? INT_MAX : size;
    int n = FCGX_GetStr(out, (int)want, l->fcgi.in);
    *got = n > 0 ? (size_t)n : 0;
    l->body_left -= (int64_t)*got;
    if (!request_whole(l) || l->body_left < 0)
        return FAULT_CONNECTION_CUT;
    if (*got < want && l->body_left != 0)
        return FAULT_CONNECTION_CUT; /* the end came before the announced length */
    return FAULT_NONE;
}

enum fault request_read_body(struct request_listener *l, struct request *r, size_t most, const char **out,
                             size_t *length)
{
    *out = "";
    *length = 0;
    if (r->content_length < 0)
        return FAULT_MALFORMED;
    if (r->content_length > (int64_t)most)
        return FAULT_BODY_TOO_LARGE;
    char *body = arena_alloc(r->arena, (size_t)r->content_length + 2);
    if (body == NULL)
        return FAULT_MEMORY;
    /* one byte more than announced is asked for, so that a longer body is noticed */
    enum fault fault = request_read_piece(l, body, (size_t)r->content_length + 1, length);
    body[*length] = '\0';
    *out = body;
    return fault;
}

bool request_abandoned(struct request_listener *l)
{
    struct pollfd p = {.fd = l->fcgi.ipcFd, .events = POLLRDHUP};
    return l->fcgi.ipcFd < 0 || (poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
}

bool request_others_wait(struct request_listener *l)
{
    struct pollfd p = {.fd = l->fcgi.listen_sock, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* Ends the request. The library's way is to tell nginx that this was all, and to wait until nginx has closed (three system
 * calls and two switches of process a request): needed while something of the request is unread, because closing
 * then is an error for nginx while it still sends. When all of it has been read, closing is enough; detached is what
 * the library calls a connection that it need not wait for. One that has unread bytes is never kept: they would be
 * taken for the next request. */
static void request_finish(struct request_listener *l)
{
    bool all = l->body_left == 0 && request_whole(l) && FCGX_GetChar(l->fcgi.in) == EOF && request_whole(l);
    int status = all ? FCGX_Detach(&l->fcgi) : FCGX_Attach(&l->fcgi);
    l->fcgi.keepConnection = l->fcgi.keepConnection && l->keepable && all && !request_others_wait(l);
    (void)status; /* always 0 */
    FCGX_Finish_r(&l->fcgi);
}

void request_answer(struct request_listener *l, const char *bytes, size_t length)
{
    while (length > 0) {
        int piece = length > INT_MAX ? INT_MAX : (int)length;
        if (FCGX_PutStr(bytes, piece, l->fcgi.out) != piece)
            break; /* nginx has gone away */
        bytes += piece;
        length -= (size_t)piece;
    }
    request_finish(l);
}

void request_drop(struct request_listener *l)
{
    request_finish(l);
}
