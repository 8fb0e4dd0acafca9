/*
 * client_datasets: `consignctl datasets` (contract.md section 4).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "consignctl/client.h"
#include "consignctl/client_args.h"
#include "consignctl/client_session.h"
#include "consignctl/client_show.h"
#include "consignctl/client_text.h"

#define DATASETS_PATH "/data/foundation/catalog/dataSets"
#define DATASETS_EXPORTED "/data/foundation/export/datasets"
#define DATASETS_UNION "https://ns.adobe.com/xdm/context/profile__union"
#define DATASETS_CONTENT_TYPE "application/vnd.adobe.xed+json;version=1"
#define DATASETS_PAGE 100
#define DATASETS_MOST 100000

/* The dataset with its id as a member, to be put by the caller. */
static struct json_object *datasets_with_id(const char *id, struct json_object *dataset)
{
    struct json_object *made = json_object_new_object();
    jsonio_add_text(made, "id", id);
    if (json_object_is_type(dataset, json_type_object)) {
        json_object_object_foreach(dataset, name, value)
        {
            json_object_object_add(made, name, json_object_get(value));
        }
    }
    return made;
}

static const char *datasets_text(struct json_object *object, const char *name)
{
    const char *text = jsonio_member_text(object, name);
    return text == NULL ? "-" : text;
}

/* What comes after the last slash. */
static const char *datasets_last(const char *text)
{
    const char *slash = strrchr(text, '/');
    return slash == NULL ? text : slash + 1;
}

static void datasets_print(struct json_object *dataset)
{
    struct json_object *format = jsonio_member(dataset, "fileDescription", NULL);
    client_show_result("%s\t%s\t%s\t%s\t%s", datasets_text(dataset, "id"), datasets_text(dataset, "name"),
                       datasets_last(datasets_text(jsonio_member(dataset, "schemaRef", NULL), "id")),
                       datasets_text(format, "format"), datasets_text(format, "compression"));
}

/* Adds the datasets of one page, the map by id, to the list, up to `limit`. Returns how many the page had. */
static int64_t datasets_add_page(struct json_object *list, struct json_object *page, size_t limit)
{
    int64_t count = 0;
    if (!json_object_is_type(page, json_type_object))
        client_fail(CLIENT_REFUSED, "the list of datasets is none");
    json_object_object_foreach(page, id, dataset)
    {
        if (json_object_array_length(list) < limit)
            json_object_array_add(list, datasets_with_id(id, dataset));
        count++;
    }
    return count;
}

enum client_exit client_datasets_list(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    char path[128];
    int64_t limit = client_args_number(args, "limit", 1, DATASETS_MOST, DATASETS_PAGE), start = 0, count;
    client_session_open(&s, args);
    struct json_object *list = json_object_new_array();
    do {
        snprintf(path, sizeof path, DATASETS_PATH "?limit=%d&start=%" PRId64, DATASETS_PAGE, start);
        client_session_call(&s, "GET", path, NULL, NULL, &reply);
        count = datasets_add_page(list, reply.document, (size_t)limit);
        start += count;
        client_session_free(&reply);
    } while (count >= DATASETS_PAGE && start < limit);
    if (client_args_has(args, "json")) {
        client_show_json(list);
    } else {
        client_show_result("id\tname\tschema\tformat\tcompression");
        for (size_t i = 0; i < json_object_array_length(list); i++)
            datasets_print(json_object_array_get_idx(list, i));
    }
    json_object_put(list);
    return CLIENT_OK;
}

static struct json_object *datasets_request(const struct client_args *args)
{
    struct json_object *request = json_object_new_object(), *schema = json_object_new_object();
    const char *format = client_args_value(args, "format"), *compression = client_args_value(args, "compression");
    jsonio_add_text(request, "name", client_args_value(args, "name"));
    jsonio_add_text(schema, "id", DATASETS_UNION);
    jsonio_add_text(schema, "contentType", DATASETS_CONTENT_TYPE);
    json_object_object_add(request, "schemaRef", schema);
    if (format != NULL || compression != NULL) {
        struct json_object *description = json_object_new_object();
        jsonio_add_text(description, "format", format);
        jsonio_add_text(description, "compression", compression);
        json_object_object_add(request, "fileDescription", description);
    }
    return request;
}

enum client_exit client_datasets_create(const struct client_args *args)
{
    struct client_session s;
    struct client_reply reply;
    char made_key[CLIENT_SESSION_KEY_BYTES];
    const char *key = client_session_key(args, made_key);
    client_session_open(&s, args);
    struct json_object *request = datasets_request(args);
    client_session_call(&s, "POST", DATASETS_PATH, key, request, &reply);
    json_object_put(request);
    /* ["@/datasets/{id}"] */
    struct json_object *reference = json_object_is_type(reply.document, json_type_array)
                                        ? json_object_array_get_idx(reply.document, 0)
                                        : NULL;
    if (!json_object_is_type(reference, json_type_string))
        client_fail(CLIENT_REFUSED, "the answer names no dataset");
    const char *id = datasets_last(json_object_get_string(reference));
    if (client_args_has(args, "json")) {
        struct json_object *said = datasets_with_id(id, NULL);
        client_show_json(said);
        json_object_put(said);
    } else {
        client_show_result("%s", id);
    }
    client_session_free(&reply);
    return CLIENT_OK;
}

/* GET of a path that holds the dataset's id, between these two. */
static void datasets_get(const struct client_args *args, const char *before, const char *behind, struct client_reply *reply)
{
    struct client_session s;
    char path[128];
    if (!client_text_is_id(args->argument))
        client_args_wrong(args->command, "%s is no id of a dataset", args->argument);
    client_session_open(&s, args);
    snprintf(path, sizeof path, "%s/%s%s", before, args->argument, behind);
    client_session_call(&s, "GET", path, NULL, NULL, reply);
}

enum client_exit client_datasets_get(const struct client_args *args)
{
    struct client_reply reply;
    datasets_get(args, DATASETS_PATH, "", &reply);
    struct json_object *dataset = datasets_with_id(args->argument, jsonio_member(reply.document, args->argument, NULL));
    if (client_args_has(args, "json")) {
        client_show_json(dataset);
    } else {
        client_show_result("id\tname\tschema\tformat\tcompression");
        datasets_print(dataset);
    }
    json_object_put(dataset);
    client_session_free(&reply);
    return CLIENT_OK;
}

/* The rows, one a line, or the whole answer. */
enum client_exit client_datasets_preview(const struct client_args *args)
{
    struct client_reply reply;
    datasets_get(args, DATASETS_EXPORTED, "/preview", &reply);
    struct json_object *rows = jsonio_member(reply.document, "data", NULL);
    if (!json_object_is_type(rows, json_type_array))
        client_fail(CLIENT_REFUSED, "the answer has no rows");
    if (client_args_has(args, "json"))
        client_show_json(reply.document);
    for (size_t i = 0; !client_args_has(args, "json") && i < json_object_array_length(rows); i++)
        client_show_json(json_object_array_get_idx(rows, i));
    client_session_free(&reply);
    return CLIENT_OK;
}
