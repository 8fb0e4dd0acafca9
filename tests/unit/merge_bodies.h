/*
 * merge_bodies: merging texts in a test, and tables of what must come of them.
 *
 * Included by the tests of merge.
 */
#ifndef CONSIGN_TESTS_MERGE_BODIES_H
#define CONSIGN_TESTS_MERGE_BODIES_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "profile/merge.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static struct merge *merge;

static int open_merge(void **state)
{
    (void)state;
    merge = merge_new();
    return merge == NULL;
}

static int close_merge(void **state)
{
    (void)state;
    merge_free(merge);
    return 0;
}

/* The fault of reading or of writing. */
static enum fault merge_bodies(const char *const *body, size_t count, const char *fields, struct str *out)
{
    struct merge_fragment *fragment = calloc(count + 1, sizeof *fragment);
    struct projection projection;
    struct projection_error error;
    assert_non_null(fragment);
    for (size_t i = 0; i < count; i++)
        fragment[i] = (struct merge_fragment){body[i], strlen(body[i])};
    assert_int_equal(projection_compile(&projection, fields, strlen(fields), &error), FAULT_NONE);
    enum fault fault = merge_read(merge, fragment, count, &projection);
    if (fault == FAULT_NONE)
        fault = merge_write(merge, out);
    projection_free(&projection);
    free(fragment);
    return fault;
}

/* Fragments, weakest first, and the row. */
struct row {
    const char *fields;
    const char *body[4];
    const char *expected;
};

static inline void check_rows(const struct row *row, size_t rows)
{
    struct str out = STR_INIT(1 << 20);
    for (size_t i = 0; i < rows; i++) {
        size_t count = 0;
        while (count < 4 && row[i].body[count] != NULL)
            count++;
        str_reset(&out);
        assert_int_equal(merge_bodies(row[i].body, count, row[i].fields, &out), FAULT_NONE);
        assert_string_equal(out.data, row[i].expected);
    }
    str_free(&out);
}

#endif
