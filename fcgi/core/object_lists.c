/*
 * object_lists: what is in an object store. See objects.h.
 *
 * Lists are ListObjectsV2 and go on by start-after, which is a key and not a token of the store's: so a list may go on
 * another time, and may change while it is read.
 */
#include <stdio.h>
#include <string.h>

#include "core/object_store.h"
#include "core/object_xml.h"
#include "core/objects_internal.h"

#define LISTS_QUERY_MAX (16u * 1024u)
#define LISTS_PAGE "1000"

/* Asks for a page; `text` is the answer's. */
static enum fault lists_ask(const char *query, const struct objects_patience *p, struct http_answer *answer,
                            struct object_xml *text)
{
    struct objects_call call = {.method = "GET", .query = query};
    enum fault fault = objects_call(&call, p, answer);
    *text = (struct object_xml){answer->body.data, answer->body.length};
    return fault;
}

static bool lists_truncated(struct object_xml text)
{
    char word[8];
    return object_xml_text(text, "IsTruncated", word, sizeof word) && strcmp(word, "true") == 0;
}

/* The parameters stand in the order of their names, as the signature wants them. */
static enum fault lists_objects(const char *prefix, const char *after, bool names, const struct objects_patience *p,
                                struct http_answer *answer, struct object_xml *text)
{
    struct str query = STR_INIT(LISTS_QUERY_MAX), all = STR_INIT(LISTS_QUERY_MAX);
    const char *root = object_store()->prefix;
    *answer = (struct http_answer){.length = -1};
    str_append_text(&query, names ? "delimiter=%2F&" : "");
    str_append_text(&query, "list-type=2&max-keys=" LISTS_PAGE "&prefix=");
    str_printf(&all, "%s%s", root, prefix);
    objects_append_value(&query, all.data == NULL ? "" : all.data);
    if (*after != '\0') {
        str_reset(&all);
        str_printf(&all, "%s%s", root, after);
        str_append_text(&query, "&start-after=");
        objects_append_value(&query, all.data == NULL ? "" : all.data);
    }
    enum fault fault = query.overflow || all.overflow ? FAULT_INTERNAL : lists_ask(query.data, p, answer, text);
    str_free(&query);
    str_free(&all);
    return fault;
}

/* ---- names ---- */

/* The next thing of a page in its order: a key below the directory, or a name that a slash follows. */
struct lists_names {
    struct object_xml objects, folders;
    char object[OBJECTS_KEY_MAX], folder[OBJECTS_KEY_MAX]; /* "": there is none */
};

static void lists_next(struct object_xml *in, const char *element, const char *member, char out[OBJECTS_KEY_MAX])
{
    struct object_xml inside;
    const char *relative;
    out[0] = '\0';
    while (out[0] == '\0' && object_xml_next(in, element, &inside)) {
        char key[OBJECTS_KEY_MAX + 256];
        if (object_xml_text(inside, member, key, sizeof key) && (relative = objects_relative(key)) != NULL &&
            strlen(relative) < OBJECTS_KEY_MAX)
            str_copy_fitting(out, OBJECTS_KEY_MAX, relative);
    }
}

/* Takes the smaller of the two; false: there are no more. */
static bool lists_take(struct lists_names *n, char out[OBJECTS_KEY_MAX])
{
    bool folder = n->object[0] == '\0' || (n->folder[0] != '\0' && strcmp(n->folder, n->object) < 0);
    str_copy_fitting(out, OBJECTS_KEY_MAX, folder ? n->folder : n->object);
    if (folder)
        lists_next(&n->folders, "CommonPrefixes", "Prefix", n->folder);
    else
        lists_next(&n->objects, "Contents", "Key", n->object);
    return out[0] != '\0';
}

/* Tells the names of a page; `last` becomes the key to go on behind. */
static bool lists_tell(struct object_xml text, size_t directory, char last[OBJECTS_KEY_MAX],
                       bool (*visit)(void *arg, const char *name, bool more), void *arg)
{
    struct lists_names n = {.objects = text, .folders = text};
    char name[OBJECTS_NAME_MAX], key[OBJECTS_KEY_MAX];
    bool go_on = true;
    lists_next(&n.objects, "Contents", "Key", n.object);
    lists_next(&n.folders, "CommonPrefixes", "Prefix", n.folder);
    while (go_on && lists_take(&n, key)) {
        size_t length = strcspn(key + directory, "/");
        bool more = key[directory + length] == '/';
        snprintf(name, sizeof name, "%.*s", (int)length, key + directory);
        str_copy_fitting(last, OBJECTS_KEY_MAX, key);
        if (more) /* behind all that begins with it: '0' follows '/' */
            last[directory + length] = '0';
        go_on = visit(arg, name, more);
    }
    return go_on;
}

enum fault objects_list(const char *directory, const char *after, bool (*visit)(void *arg, const char *name, bool more),
                        void *arg, const struct objects_patience *p)
{
    char last[OBJECTS_KEY_MAX] = "", before[OBJECTS_KEY_MAX];
    bool over = false;
    enum fault fault = FAULT_NONE;
    if (*after != '\0' && snprintf(last, sizeof last, "%s%s0", directory, after) >= (int)sizeof last)
        return FAULT_INTERNAL;
    while (fault == FAULT_NONE && !over) {
        struct http_answer answer;
        struct object_xml text;
        str_copy_fitting(before, sizeof before, last);
        fault = lists_objects(directory, last, true, p, &answer, &text);
        if (fault == FAULT_NONE) /* a page of which nothing could be read must not be asked for again and again */
            over = !lists_tell(text, strlen(directory), last, visit, arg) || !lists_truncated(text) || strcmp(before, last) == 0;
        str_free(&answer.body);
    }
    return fault;
}

/* ---- keys ---- */

enum fault objects_keys(const char *prefix, const char *after, enum fault (*visit)(void *arg, const char *key), void *arg,
                        bool *over, const struct objects_patience *p)
{
    struct http_answer answer;
    struct object_xml text;
    char key[OBJECTS_KEY_MAX];
    enum fault fault = lists_objects(prefix, after, false, p, &answer, &text);
    *over = fault == FAULT_NONE && !lists_truncated(text);
    for (struct object_xml in = text; fault == FAULT_NONE;) {
        lists_next(&in, "Contents", "Key", key);
        if (key[0] == '\0')
            break;
        fault = visit(arg, key);
    }
    str_free(&answer.body);
    return fault;
}

/* ---- uploads ---- */

/* One page; the markers are moved on. */
static enum fault lists_uploads(struct object_xml text, enum fault (*visit)(void *arg, const char *key, const char *upload),
                                void *arg)
{
    struct object_xml inside;
    enum fault fault = FAULT_NONE;
    while (fault == FAULT_NONE && object_xml_next(&text, "Upload", &inside)) {
        char key[OBJECTS_KEY_MAX], upload[OBJECTS_UPLOAD_MAX];
        const char *relative = object_xml_text(inside, "Key", key, sizeof key) ? objects_relative(key) : NULL;
        if (relative != NULL && object_xml_text(inside, "UploadId", upload, sizeof upload))
            fault = visit(arg, relative, upload);
    }
    return fault;
}

enum fault objects_uploads(const char *prefix, enum fault (*visit)(void *arg, const char *key, const char *upload), void *arg,
                           const struct objects_patience *p)
{
    char key[OBJECTS_KEY_MAX] = "", upload[OBJECTS_UPLOAD_MAX] = "", all[OBJECTS_KEY_MAX];
    bool over = false;
    enum fault fault = FAULT_NONE;
    if (snprintf(all, sizeof all, "%s%s", object_store()->prefix, prefix) >= (int)sizeof all)
        return FAULT_INTERNAL;
    while (fault == FAULT_NONE && !over) {
        struct http_answer answer = {.length = -1};
        struct object_xml text;
        struct str query = STR_INIT(LISTS_QUERY_MAX);
        if (key[0] != '\0')
            str_append_text(&query, "key-marker=");
        objects_append_value(&query, key);
        str_append_text(&query, key[0] != '\0' ? "&max-uploads=" LISTS_PAGE "&prefix=" : "max-uploads=" LISTS_PAGE "&prefix=");
        objects_append_value(&query, all);
        if (key[0] != '\0')
            str_append_text(&query, "&upload-id-marker=");
        objects_append_value(&query, upload);
        str_append_text(&query, "&uploads=");
        fault = query.overflow ? FAULT_INTERNAL : lists_ask(query.data, p, &answer, &text);
        if (fault == FAULT_NONE) {
            over = !lists_truncated(text) || !object_xml_text(text, "NextKeyMarker", key, sizeof key) ||
                   !object_xml_text(text, "NextUploadIdMarker", upload, sizeof upload);
            fault = lists_uploads(text, visit, arg);
        }
        str_free(&answer.body);
        str_free(&query);
    }
    return fault;
}
