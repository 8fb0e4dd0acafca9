/*
 * client_batch: what a batch holds. See client_batch.h.
 *
 * SECURITY: no link of an answer is followed; the paths are made of ids that were looked at.
 */
#include "consignctl/client_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/client_text.h"

#define BATCH_PATH "/data/foundation/export/batches"
#define BATCH_FILES_PATH "/data/foundation/export/files"
#define BATCH_PAGE 100

static int batch_compare_names(const void *a, const void *b)
{
    return strcmp(((const struct client_part *)a)->name, ((const struct client_part *)b)->name);
}

static struct client_part *batch_find(const struct client_batch *batch, const char *name)
{
    const struct client_part key = {.name = name};
    return bsearch(&key, batch->part, (size_t)batch->parts, sizeof *batch->part, batch_compare_names);
}

static void batch_read_file(const struct client_batch *batch, struct json_object *file, struct client_budget *left,
                            struct client_part *out)
{
    const char *name = jsonio_member_text(file, "name"), *sum = jsonio_member_text(file, "sha256");
    struct json_object *bytes = jsonio_member(file, "bytes", NULL);
    if (name == NULL || !client_text_is_file_name(name))
        client_fail(CLIENT_WRONG_FILE, "batch %s: the manifest names a file that may not be called so: %s", batch->id,
                    name == NULL ? "-" : name);
    if (sum == NULL || !client_text_is_sha256(sum) || !json_object_is_type(bytes, json_type_int) ||
        json_object_get_int64(bytes) < 0)
        client_fail(CLIENT_WRONG_FILE, "batch %s: the manifest does not say size and SHA-256 of %s", batch->id, name);
    *out = (struct client_part){
        .name = name, .batch = batch->id, .bytes = json_object_get_int64(bytes), .folder = batch->folder, .fd = -1};
    if (out->bytes > left->file_bytes)
        client_fail(CLIENT_WRONG_FILE, "batch %s: the files are too long: %s", batch->id, name);
    left->file_bytes -= out->bytes;
    memcpy(out->sha256, sum, sizeof out->sha256);
}

void client_batch_read(struct client_session *s, const char *id, int folder, struct client_budget *left,
                       struct client_batch *out)
{
    char path[256];
    *out = (struct client_batch){.id = id, .folder = folder};
    snprintf(path, sizeof path, BATCH_PATH "/%s/meta?path=" CLIENT_BATCH_MANIFEST, id);
    client_session_get_long(s, path, left->manifest_bytes, &out->manifest);
    left->manifest_bytes -= out->manifest.answer.body.length;
    struct json_object *files = jsonio_member(out->manifest.document, "files", NULL);
    if (!json_object_is_type(files, json_type_array))
        client_fail(CLIENT_WRONG_FILE, "batch %s: the manifest has no list of files", id);
    out->parts = (int)json_object_array_length(files);
    out->part = calloc((size_t)out->parts + 1, sizeof *out->part);
    if (out->part == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    for (int i = 0; i < out->parts; i++)
        batch_read_file(out, json_object_array_get_idx(files, (size_t)i), left, &out->part[i]);
    qsort(out->part, (size_t)out->parts, sizeof *out->part, batch_compare_names);
    for (int i = 1; i < out->parts; i++) {
        if (strcmp(out->part[i - 1].name, out->part[i].name) == 0)
            client_fail(CLIENT_WRONG_FILE, "batch %s: the manifest names %s twice", id, out->part[i].name);
    }
}

/* Whether the text is a manifest of this batch. */
static bool batch_is_own(const struct client_batch *batch, const struct str *text)
{
    const struct client_answer *manifest = &batch->manifest.answer;
    const struct jscan_limits limits = {
        .depth = 8, .bytes = CLIENT_BATCH_MANIFEST_BYTES, .nodes = CLIENT_BATCH_MANIFEST_BYTES / 16};
    struct jsonio_refusal refusal;
    struct json_object *document = NULL;
    struct arena *memory = arena_new(64);
    if (memory == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    bool own = text->length == manifest->body.length && memcmp(text->data, manifest->body.data, text->length) == 0;
    if (!own && jsonio_parse(memory, text->data, text->length, limits, &document, &refusal) == FAULT_NONE) {
        const char *id = jsonio_member_text(document, "batch");
        own = id != NULL && strcmp(id, batch->id) == 0;
    }
    arena_free(memory);
    return own;
}

void client_batch_look(const struct client_batch *batch)
{
    struct stat about;
    struct str text = STR_INIT(CLIENT_BATCH_MANIFEST_BYTES);
    char piece[4096];
    ssize_t got = 0;
    int fd = openat(batch->folder, CLIENT_BATCH_MANIFEST, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return;
    bool file = fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    while (file && !text.overflow && (got = read(fd, piece, sizeof piece)) > 0)
        str_append(&text, piece, (size_t)got);
    if (!file || got < 0 || text.overflow || text.length == 0 || !batch_is_own(batch, &text))
        client_fail(CLIENT_REFUSED, CLIENT_BATCH_MANIFEST ": is there already, and no manifest of batch %s; it is not replaced,"
                    " --dir names another folder", batch->id);
    str_free(&text);
    close(fd);
}

/* Asks what the file of this id is called, and gives the part of that name its path. */
static void batch_locate_file(struct client_session *s, const struct client_batch *batch, const char *file)
{
    char path[CLIENT_PART_PATH_MAX];
    struct client_reply reply;
    snprintf(path, sizeof path, BATCH_FILES_PATH "/%s", file);
    client_session_call(s, "GET", path, NULL, NULL, &reply);
    struct json_object *data = jsonio_member(reply.document, "data", NULL);
    for (size_t i = 0; json_object_is_type(data, json_type_array) && i < json_object_array_length(data); i++) {
        const char *name = jsonio_member_text(json_object_array_get_idx(data, i), "name");
        struct client_part *part = name == NULL ? NULL : batch_find(batch, name);
        if (part == NULL || part->path[0] != '\0')
            client_fail(CLIENT_WRONG_FILE, "batch %s: %s is not in the manifest, or there twice", batch->id,
                        name == NULL ? file : name);
        if (snprintf(part->path, sizeof part->path, BATCH_FILES_PATH "/%s?path=%s", file, name) >= (int)sizeof part->path)
            client_fail(CLIENT_WRONG_FILE, "batch %s: the name %s is too long", batch->id, name);
    }
    client_session_free(&reply);
}

/* One page of the batch's files; how many it had. */
static int64_t batch_locate_page(struct client_session *s, const struct client_batch *batch, int64_t start)
{
    char path[256];
    struct client_reply reply;
    snprintf(path, sizeof path, BATCH_PATH "/%s/files?limit=%d&start=%" PRId64, batch->id, BATCH_PAGE, start);
    client_session_call(s, "GET", path, NULL, NULL, &reply);
    struct json_object *data = jsonio_member(reply.document, "data", NULL);
    if (!json_object_is_type(data, json_type_array))
        client_fail(CLIENT_REFUSED, "batch %s: the list of files is none", batch->id);
    int64_t count = (int64_t)json_object_array_length(data);
    if (start + count > batch->parts)
        client_fail(CLIENT_WRONG_FILE, "batch %s: there are more files than in the manifest", batch->id);
    for (int64_t i = 0; i < count; i++) {
        const char *id = jsonio_member_text(json_object_array_get_idx(data, (size_t)i), "dataSetFileId");
        if (id == NULL || !client_text_is_id(id))
            client_fail(CLIENT_REFUSED, "batch %s: the id of a file is none", batch->id);
        batch_locate_file(s, batch, id);
    }
    client_session_free(&reply);
    return count;
}

void client_batch_locate(struct client_session *s, struct client_batch *batch)
{
    for (int64_t start = 0, count = 1; count > 0 && start < batch->parts; start += count)
        count = batch_locate_page(s, batch, start);
    for (int i = 0; i < batch->parts; i++) {
        if (batch->part[i].path[0] == '\0')
            client_fail(CLIENT_WRONG_FILE, "batch %s: %s is in the manifest and not among the files", batch->id,
                        batch->part[i].name);
    }
}

void client_batch_free(struct client_batch *batch)
{
    free(batch->part);
    client_session_free(&batch->manifest);
}
