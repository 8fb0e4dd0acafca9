/*
 * fuzz_upload: cutting an uploaded file into records.
 *
 * The same records come out however the file comes in, whole or in pieces; each stands in the file
 * where it is said to stand; and of a file that is one JSON array they are its elements.
 *
 * Input: a byte that makes the pieces, a byte for the longest record, then the file.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "lib/jscan.h"
#include "store/upload.h"

/* A file that is handed out in pieces of 1 to `piece` bytes; 0: whole. */
struct source {
    const char *bytes;
    size_t length, at;
    unsigned piece, turn;
};

static ssize_t source_read(void *arg, char *out, size_t room)
{
    struct source *s = arg;
    size_t left = s->length - s->at;
    size_t size = s->piece == 0 ? left : 1 + (s->turn++ * 7) % s->piece;
    size = size < left ? size : left;
    size = size < room ? size : room;
    memcpy(out, s->bytes + s->at, size);
    s->at += size;
    return (ssize_t)size;
}

static struct upload *upload_of(struct source *source, size_t most)
{
    struct upload *u = calloc(1, sizeof *u);
    INVARIANT(u != NULL && upload_init(u, most));
    upload_open(u, source_read, source);
    return u;
}

static int64_t line_at(const struct source *file, int64_t offset)
{
    int64_t line = 1;
    for (int64_t i = 0; i < offset; i++)
        line += file->bytes[i] == '\n';
    return line;
}

/* That the record is in the file, at its place. */
static void check_place(const struct source *file, enum upload_result result, const struct upload_record *r, size_t most)
{
    INVARIANT(r->offset >= 0 && (size_t)r->offset + r->length <= file->length);
    INVARIANT(memcmp(r->text, file->bytes + r->offset, r->length) == 0);
    INVARIANT(r->line == line_at(file, r->offset));
    INVARIANT(r->length <= (result == UPLOAD_RECORD ? most + 1 : UPLOAD_HEAD_BYTES)); /* the CR of a line */
}

/* Where the next element of a whole array begins and ends in the file; *at goes on. */
static void element_span(const struct jscan *scan, uint32_t *at, size_t *begin, size_t *end)
{
    const struct jscan_node *node = &scan->node[*at];
    bool quoted = node->type == JSCAN_STRING;
    *begin = node->begin - quoted;
    *end = node->end + quoted;
    *at = node->next;
}

/* The end of the blanks from `at`: those behind a number or a word count towards its length. */
static size_t blanks_end(const struct source *file, size_t at)
{
    while (at < file->length && file->bytes[at] != '\0' && strchr(" \t\r\n", file->bytes[at]) != NULL)
        at++;
    return at;
}

static void check_elements(const struct source *file, const struct jscan *scan, size_t most)
{
    struct source source = *file;
    struct upload *u = upload_of(&source, most);
    struct upload_record r;
    uint32_t at = 1;
    for (uint32_t i = 0; i < scan->node[0].count; i++) {
        size_t begin, end;
        element_span(scan, &at, &begin, &end);
        enum upload_result result = upload_next(u, &r);
        INVARIANT(result == UPLOAD_RECORD || result == UPLOAD_OVERSIZED);
        INVARIANT((size_t)r.offset == begin);
        if (result == UPLOAD_RECORD)
            INVARIANT(r.length == end - begin && r.length <= most + 1);
        else
            INVARIANT(blanks_end(file, end) - begin > most + 1);
    }
    INVARIANT(upload_next(u, &r) == UPLOAD_END);
    upload_free(u);
    free(u);
}

static void check_pieces(const struct source *file, unsigned piece, size_t most)
{
    struct source whole = *file, pieces = *file;
    pieces.piece = piece;
    struct upload *a = upload_of(&whole, most), *b = upload_of(&pieces, most);
    struct upload_record x, y;
    int64_t last = -1;
    for (;;) {
        enum upload_result result = upload_next(a, &x);
        INVARIANT(upload_next(b, &y) == result);
        INVARIANT(result != UPLOAD_FAILED);
        if (result == UPLOAD_END)
            break;
        INVARIANT(x.line == y.line && x.offset == y.offset);
        if (result == UPLOAD_BROKEN) {
            INVARIANT(x.reason == y.reason && x.reason != NULL);
            break;
        }
        /* of one that is too long, as much is shown as had been read when that was found */
        INVARIANT(x.length == y.length || result == UPLOAD_OVERSIZED);
        INVARIANT(memcmp(x.text, y.text, x.length < y.length ? x.length : y.length) == 0);
        INVARIANT(x.offset > last);
        last = x.offset;
        check_place(file, result, &x, most);
        check_place(file, result, &y, most);
    }
    upload_free(a);
    upload_free(b);
    free(a);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct jscan scan = JSCAN_INIT;
    if (size < 2)
        return 0;
    struct source file = {.bytes = (const char *)data + 2, .length = size - 2};
    size_t most = 1 + (size_t)data[1] * 4;
    check_pieces(&file, data[0] + 1u, most);
    struct jscan_limits limits = {.depth = 60, .bytes = 1u << 20};
    if (jscan_document(&scan, file.bytes, file.length, limits) == JSCAN_OK && scan.node[0].type == JSCAN_ARRAY)
        check_elements(&file, &scan, most);
    jscan_free(&scan);
    return 0;
}
