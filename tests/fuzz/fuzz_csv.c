/*
 * fuzz_csv: a CSV file from its bytes to the records that are made of it.
 *
 * The same rows come out however the file comes in, whole or in pieces, and each stands in the file where it is said to
 * stand. Cutting and splitting agree about quotes: a row that was split holds no end of a line outside of them, so the
 * fields, quoted again, are the row's meaning. What is made of a row is one JSON object with members of the header.
 *
 * Input: a byte that makes the pieces, the delimiter, then the file.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "store/csv.h"
#include "store/upload.h"

#define MOST_BYTES 4096u

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

/* A column's kinds, by its name alone. */
static unsigned kind_of(void *arg, const char *path, size_t length)
{
    (void)arg;
    INVARIANT(length > 0);
    return (unsigned char)path[length - 1] & 3u;
}

/* Whether there may be a number that JSON has and requests may not: an integer beyond 2^53, or one beyond doubles. */
static bool may_be_large(const char *text)
{
    size_t digits = 0;
    for (; *text != '\0'; text++) {
        digits = *text >= '0' && *text <= '9' ? digits + 1 : 0;
        if (digits > 15 || (digits > 0 && (text[1] == 'e' || text[1] == 'E')))
            return true;
    }
    return false;
}

/* What a row is made of must be JSON when it is text, with an object outside. */
static void check_json(const struct csv *csv)
{
    const char *text = csv->json.data;
    INVARIANT(csv->json.length >= 2 && csv->json.length <= MOST_BYTES);
    INVARIANT(text[0] == '{' && text[csv->json.length - 1] == '}');
    if (fuzz_is_text(text, csv->json.length) && strstr(text, "\\u0000") == NULL && !may_be_large(text))
        INVARIANT(fuzz_is_json(text, csv->json.length, (int)CSV_DEPTH_MAX + 1));
}

/* Makes records of the rows, each by a header that was read once more from the first row. */
static void check_row(struct csv *csv, const struct upload_record *row, bool *headed, char delimiter)
{
    if (!*headed) {
        *headed = csv_header(csv, row->text, row->length, delimiter, kind_of, NULL);
        if (!*headed)
            INVARIANT(csv->reason[0] != '\0');
        return;
    }
    csv->reason[0] = '\0';
    if (csv_row(csv, row->text, row->length))
        check_json(csv);
    else
        INVARIANT(csv->reason[0] != '\0');
}

static void check_file(const struct source *file, unsigned piece, char delimiter)
{
    struct source whole = *file, pieces = *file;
    struct upload a, b;
    struct upload_record x, y;
    struct csv csv;
    int64_t last = -1;
    bool headed = false;
    pieces.piece = piece;
    INVARIANT(upload_init(&a, MOST_BYTES) && upload_init(&b, MOST_BYTES) && csv_init(&csv, MOST_BYTES));
    upload_open_rows(&a, source_read, &whole, delimiter);
    upload_open_rows(&b, source_read, &pieces, delimiter);
    for (;;) {
        enum upload_result result = upload_next(&a, &x);
        INVARIANT(upload_next(&b, &y) == result);
        if (result == UPLOAD_END)
            break;
        INVARIANT(result == UPLOAD_RECORD || result == UPLOAD_OVERSIZED);
        INVARIANT(x.line == y.line && x.offset == y.offset && x.offset > last);
        last = x.offset;
        INVARIANT((size_t)x.offset + x.length <= file->length && memcmp(x.text, file->bytes + x.offset, x.length) == 0);
        if (result != UPLOAD_RECORD)
            continue;
        INVARIANT(x.length == y.length && x.length > 0 && x.length <= MOST_BYTES + 1);
        check_row(&csv, &x, &headed, delimiter);
    }
    csv_free(&csv);
    upload_free(&a);
    upload_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char DELIMITERS[] = ",;\t|";
    if (size < 2)
        return 0;
    struct source file = {.bytes = (const char *)data + 2, .length = size - 2};
    check_file(&file, data[0] + 1u, DELIMITERS[data[1] % 4]);
    return 0;
}
