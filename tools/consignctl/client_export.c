/*
 * client_export: `consignctl export` but for download.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consignctl/client.h"
#include "consignctl/client_args.h"
#include "consignctl/client_job.h"
#include "consignctl/client_order.h"
#include "consignctl/client_session.h"
#include "consignctl/client_show.h"
#include "consignctl/client_text.h"
#include "lib/str.h"

#define EXPORT_LIST_DEFAULT 100
#define EXPORT_LIST_MOST 100000
#define EXPORT_PAGE 1000 /* contract.md section 5 */
#define EXPORT_NEXT_MAX 512

/* The document of --body, the arena's; an empty object without one. */
static struct json_object *export_body(const struct client_args *args, struct arena *memory)
{
    const char *path = client_args_value(args, "body");
    struct str text = STR_INIT(JSCAN_REQUEST_LIMITS.bytes + 1);
    struct jsonio_refusal refusal = {0, "is empty"};
    struct json_object *body = NULL;
    char piece[4096];
    ssize_t got;
    if (path == NULL)
        return jsonio_own(memory, json_object_new_object());
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        client_fail(CLIENT_USAGE, "cannot read %s: %s", path, strerror(errno));
    while ((got = read(fd, piece, sizeof piece)) > 0)
        str_append(&text, piece, (size_t)got);
    close(fd);
    if (got < 0 || text.overflow)
        client_fail(CLIENT_USAGE, "cannot read %s: %s", path, got < 0 ? strerror(errno) : "longer than 1 MiB");
    if (text.data == NULL ||
        jsonio_parse(memory, text.data, text.length, JSCAN_REQUEST_LIMITS, &body, &refusal) != FAULT_NONE)
        client_fail(CLIENT_USAGE, "%s, byte %zu: %s", path, refusal.offset, refusal.reason);
    if (!json_object_is_type(body, json_type_object))
        client_fail(CLIENT_USAGE, "%s: is no JSON object", path);
    str_free(&text);
    return body;
}

/* The request that the options make; the arena's. */
static struct json_object *export_request(const struct client_args *args, struct arena *memory)
{
    struct json_object *request = export_body(args, memory);
    struct client_order order = {
        .dataset = client_args_value(args, "dataset"),
        .fields = client_args_value(args, "fields"),
        .merge_policy = client_args_value(args, "merge-policy"),
        .from = client_args_value(args, "from"),
        .per_segment = client_args_has(args, "segment-per-batch"),
        .events = client_args_has(args, "events"),
    };
    if (order.dataset == NULL && jsonio_member(request, "destination", NULL) == NULL)
        client_args_wrong(args->command, "--dataset is required, unless the body has a destination");
    const char **segments = client_args_values(args, "segment", &order.segments);
    order.segment = segments;
    if (!client_order_fill(request, &order))
        client_args_wrong(args->command, "the body has something else where an option belongs into an object");
    free(segments);
    return request;
}

/* The number of a job that the service told. */
static void export_number(struct json_object *job, char out[24])
{
    int64_t id = json_object_get_int64(jsonio_member(job, "id", NULL));
    if (id <= 0)
        client_fail(CLIENT_REFUSED, "the answer is no job");
    snprintf(out, 24, "%" PRId64, id);
}

enum client_exit client_export_create(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    char made_key[CLIENT_SESSION_KEY_BYTES], number[24];
    enum client_exit status = CLIENT_OK;
    const char *key = client_session_key(args, made_key);
    struct arena *memory = arena_new(64);
    if (memory == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    struct json_object *request = export_request(args, memory);
    client_session_open(&s, args);
    client_session_call(&s, "POST", CLIENT_JOB_PATH, key, request, &reply);
    export_number(reply.document, number);
    if (client_args_has(args, "wait")) {
        client_session_free(&reply);
        client_show_line("job %s", number);
        client_job_wait(&s, number, &reply);
        status = client_job_verdict(reply.document);
    }
    if (client_args_has(args, "json"))
        client_show_json(reply.document);
    else
        client_show_result("%s", number);
    client_session_free(&reply);
    arena_free(memory);
    return status;
}

enum client_exit client_export_get(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    bool json = client_args_has(args, "json");
    const char *number = client_job_number(args);
    client_session_open(&s, args);
    client_job_get(&s, number, 0, &reply);
    if (!json)
        client_show_result(CLIENT_JOB_COLUMNS);
    client_job_print(reply.document, json);
    client_session_free(&reply);
    return CLIENT_OK;
}

enum client_exit client_export_wait(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    bool json = client_args_has(args, "json");
    const char *number = client_job_number(args);
    client_session_open(&s, args);
    client_job_wait(&s, number, &reply);
    enum client_exit status = client_job_verdict(reply.document);
    if (!json)
        client_show_result(CLIENT_JOB_COLUMNS);
    client_job_print(reply.document, json);
    client_session_free(&reply);
    return status;
}

enum client_exit client_export_cancel(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    char path[128];
    const char *number = client_job_number(args);
    client_session_open(&s, args);
    snprintf(path, sizeof path, CLIENT_JOB_PATH "/%s", number);
    client_session_call(&s, "DELETE", path, NULL, NULL, &reply);
    client_session_free(&reply);
    if (client_args_has(args, "json")) {
        struct json_object *said = json_object_new_object();
        jsonio_add_int(said, "id", strtoll(number, NULL, 10));
        client_show_json(said);
        json_object_put(said);
    }
    return CLIENT_OK;
}

/* Adds the records of a page to the list, up to `limit`. Returns how many the page had. */
static size_t export_add_page(struct json_object *list, struct json_object *page, size_t limit)
{
    struct json_object *records = jsonio_member(page, "records", NULL);
    if (!json_object_is_type(records, json_type_array))
        client_fail(CLIENT_REFUSED, "the list of jobs is none");
    size_t count = json_object_array_length(records);
    for (size_t i = 0; i < count && json_object_array_length(list) < limit; i++)
        json_object_array_add(list, json_object_get(json_object_array_get_idx(records, i)));
    return count;
}

/* The query of the next page from link.next ("/export/jobs/?limit=…"), into out; false on the last page.
 * SECURITY: of the link only its query is used, so it cannot lead anywhere else. */
static bool export_next(struct json_object *page, char out[EXPORT_NEXT_MAX])
{
    static const char ALLOWED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~%=&:";
    const char *next = jsonio_member_text(jsonio_member(page, "link", NULL), "next");
    const char *query = next == NULL ? NULL : strchr(next, '?');
    if (query == NULL || query[1] == '\0')
        return false;
    query++;
    if (strlen(query) >= EXPORT_NEXT_MAX || strspn(query, ALLOWED) != strlen(query))
        client_fail(CLIENT_REFUSED, "the list of jobs goes on at what is no query");
    snprintf(out, EXPORT_NEXT_MAX, "%s", query);
    return true;
}

enum client_exit client_export_list(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    bool json = client_args_has(args, "json"), more = true;
    char path[EXPORT_NEXT_MAX + 64], query[EXPORT_NEXT_MAX];
    const char *status = client_args_value(args, "status");
    int64_t limit = client_args_number(args, "limit", 1, EXPORT_LIST_MOST, EXPORT_LIST_DEFAULT);
    if (status != NULL && !client_text_is_id(status))
        client_args_wrong(args->command, "--status: %s is no state of a job", status);
    client_session_open(&s, args);
    snprintf(query, sizeof query, "limit=%" PRId64 "%s%s", limit < EXPORT_PAGE ? limit : EXPORT_PAGE,
             status == NULL ? "" : "&status=", status == NULL ? "" : status);
    struct json_object *list = json_object_new_array();
    while (more && json_object_array_length(list) < (size_t)limit) {
        snprintf(path, sizeof path, CLIENT_JOB_PATH "?%s", query);
        client_session_call(&s, "GET", path, NULL, NULL, &reply);
        more = export_add_page(list, reply.document, (size_t)limit) > 0 && export_next(reply.document, query);
        client_session_free(&reply);
    }
    if (json) {
        client_show_json(list);
    } else {
        client_show_result(CLIENT_JOB_COLUMNS);
        for (size_t i = 0; i < json_object_array_length(list); i++)
            client_job_print(json_object_array_get_idx(list, i), false);
    }
    json_object_put(list);
    return CLIENT_OK;
}
