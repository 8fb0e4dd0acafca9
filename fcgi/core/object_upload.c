/*
 * object_upload: a file becomes an object. See objects.h.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/object_xml.h"
#include "core/objects_internal.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"

#define UPLOAD_PARTS_MOST 10000u /* the interface's */
#define UPLOAD_PIECE_BYTES (256u * 1024u)
#define UPLOAD_ABORT_MS 1000 /* what it may take to take back an upload that failed; the sweep does it else */
#define UPLOAD_TEXT_MAX (4u * 1024u * 1024u)

/* An upload in parts. */
struct upload {
    const char *key;
    const struct objects_file *file;
    const struct objects_patience *p;
    uint64_t part_bytes;
    char id[OBJECTS_UPLOAD_MAX];
    struct crypto_digest *whole; /* of what was read of the file */
    struct str list;             /* of the parts, for the end */
    char *piece;
};

static enum fault upload_changed(const char *key)
{
    log_event(LOG_ERROR, "object_store", "key=%s reason=\"the file is not as it was written, or the object is not as the file\"",
              log_quote(key));
    return FAULT_DISK;
}

/* Whether the object is there, with the length and tag that it was sent with. */
static enum fault upload_look(const char *key, const struct objects_file *file, const char *tag, const struct objects_patience *p)
{
    struct http_answer answer;
    struct objects_call call = {.method = "HEAD", .key = key, .query = ""};
    enum fault fault = objects_call(&call, p, &answer);
    str_free(&answer.body);
    bool same = answer.length == (int64_t)file->bytes && (*tag == '\0' || strcmp(answer.tag, tag) == 0);
    return fault == FAULT_NONE && !same ? upload_changed(key) : fault;
}

static enum fault upload_whole(const char *key, const struct objects_file *file, const struct objects_patience *p)
{
    struct http_answer answer;
    struct objects_call call = {.method = "PUT",
                                .key = key,
                                .query = "",
                                .sha256 = file->sha256,
                                .type = file->type,
                                .length = (size_t)file->bytes,
                                .file = file->fd,
                                .from_file = true};
    enum fault fault = objects_call(&call, p, &answer);
    str_free(&answer.body);
    return fault == FAULT_NONE ? upload_look(key, file, answer.tag, p) : fault;
}

/* ---- in parts ---- */

static enum fault upload_begin(struct upload *u)
{
    struct http_answer answer;
    struct objects_call call = {.method = "POST", .key = u->key, .query = "uploads=", .type = u->file->type};
    enum fault fault = objects_call(&call, u->p, &answer);
    struct object_xml body = {answer.body.data, answer.body.length};
    if (fault == FAULT_NONE && (!object_xml_text(body, "UploadId", u->id, sizeof u->id) || u->id[0] == '\0'))
        fault = FAULT_STORE;
    str_free(&answer.body);
    return fault;
}

/* SHA-256 of one part, which is added to that of the whole. */
static enum fault upload_digest(struct upload *u, uint64_t offset, uint64_t length, char out[CRYPTO_SHA256_HEX])
{
    struct crypto_digest *part = crypto_digest_new();
    enum fault fault = part == NULL ? FAULT_MEMORY : FAULT_NONE;
    while (fault == FAULT_NONE && length > 0) {
        size_t wanted = length < UPLOAD_PIECE_BYTES ? (size_t)length : UPLOAD_PIECE_BYTES;
        ssize_t got = pread(u->file->fd, u->piece, wanted, (off_t)offset);
        if (got <= 0)
            fault = upload_changed(u->key);
        else if (u->p->stop.asked != NULL && u->p->stop.asked(u->p->stop.arg))
            fault = FAULT_STOPPED;
        if (fault != FAULT_NONE)
            break;
        crypto_digest_add(part, u->piece, (size_t)got);
        crypto_digest_add(u->whole, u->piece, (size_t)got);
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    if (fault == FAULT_NONE)
        crypto_digest_end(part, out);
    crypto_digest_free(part);
    return fault;
}

static enum fault upload_part(struct upload *u, unsigned number, uint64_t offset)
{
    uint64_t left = u->file->bytes - offset, length = left < u->part_bytes ? left : u->part_bytes;
    char digest[CRYPTO_SHA256_HEX];
    struct http_answer answer;
    struct str query = STR_INIT(2u * OBJECTS_UPLOAD_MAX * 3);
    str_printf(&query, "partNumber=%u&uploadId=", number);
    objects_append_value(&query, u->id);
    enum fault fault = query.overflow ? FAULT_INTERNAL : upload_digest(u, offset, length, digest);
    if (fault == FAULT_NONE) {
        struct objects_call call = {.method = "PUT",
                                    .key = u->key,
                                    .query = query.data,
                                    .sha256 = digest,
                                    .length = (size_t)length,
                                    .file = u->file->fd,
                                    .from_file = true,
                                    .offset = offset};
        fault = objects_call(&call, u->p, &answer);
        str_free(&answer.body);
        str_printf(&u->list, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", number, answer.tag);
    }
    str_free(&query);
    return fault;
}

/* Has the store put the parts together. An answer that was lost makes us ask for it twice: then it knows no such upload
 * any more, and the look at the object decides. */
static enum fault upload_end(struct upload *u)
{
    char sha256[CRYPTO_SHA256_HEX];
    struct http_answer answer;
    struct str query = STR_INIT(2u * OBJECTS_UPLOAD_MAX * 3);
    str_append_text(&u->list, "</CompleteMultipartUpload>");
    str_append_text(&query, "uploadId=");
    objects_append_value(&query, u->id);
    enum fault fault = query.overflow || u->list.overflow ? FAULT_MEMORY : FAULT_NONE;
    if (fault == FAULT_NONE) {
        crypto_sha256_hex(u->list.data, u->list.length, sha256);
        struct objects_call call = {.method = "POST",
                                    .key = u->key,
                                    .query = query.data,
                                    .sha256 = sha256,
                                    .type = "application/xml",
                                    .body = u->list.data,
                                    .length = u->list.length};
        fault = objects_call(&call, u->p, &answer);
        str_free(&answer.body);
    }
    str_free(&query);
    return fault == FAULT_NOT_FOUND ? FAULT_NONE : fault;
}

static enum fault upload_parts(struct upload *u)
{
    char digest[CRYPTO_SHA256_HEX];
    unsigned number = 1;
    enum fault fault = upload_begin(u);
    str_append_text(&u->list, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint64_t offset = 0; fault == FAULT_NONE && offset < u->file->bytes; offset += u->part_bytes)
        fault = upload_part(u, number++, offset);
    if (fault == FAULT_NONE) {
        crypto_digest_end(u->whole, digest);
        fault = strcmp(digest, u->file->sha256) == 0 ? upload_end(u) : upload_changed(u->key);
    }
    if (fault == FAULT_NONE)
        return upload_look(u->key, u->file, "", u->p);
    if (u->id[0] != '\0') { /* whatever the watch says: what is begun is ended */
        struct objects_patience shortly = {.until_ms = clock_monotonic_ms() + UPLOAD_ABORT_MS};
        if (objects_abort(u->key, u->id, &shortly) != FAULT_NONE)
            log_event(LOG_WARN, "left_behind", "upload=%s", log_quote(u->key));
    }
    return fault;
}

static enum fault upload_in_parts(const char *key, const struct objects_file *file, const struct objects_patience *p,
                                  uint64_t part_bytes)
{
    struct upload u = {.key = key,
                       .file = file,
                       .p = p,
                       .part_bytes = part_bytes,
                       .whole = crypto_digest_new(),
                       .list = STR_INIT(UPLOAD_TEXT_MAX),
                       .piece = malloc(UPLOAD_PIECE_BYTES)};
    enum fault fault = u.whole == NULL || u.piece == NULL ? FAULT_MEMORY : upload_parts(&u);
    crypto_digest_free(u.whole);
    str_free(&u.list);
    free(u.piece);
    return fault;
}

enum fault objects_upload(const char *key, const struct objects_file *file, const struct objects_patience *p)
{
    uint64_t part = (uint64_t)conf_number(CONF_LAKE_PART_BYTES), least = file->bytes / UPLOAD_PARTS_MOST + 1;
    enum fault fault = file->bytes <= part ? upload_whole(key, file, p)
                                           : upload_in_parts(key, file, p, part > least ? part : least);
    return fault == FAULT_NOT_FOUND ? FAULT_DISK : fault;
}
