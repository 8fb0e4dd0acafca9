/*
 * test_preview: which rows a run keeps for clients to look at, and what of large ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/preview.h"

static struct preview p;

static int make(void **state)
{
    (void)state;
    p = PREVIEW_INIT;
    return 0;
}

static int drop(void **state)
{
    (void)state;
    preview_free(&p);
    return 0;
}

static void begin(const char *profile)
{
    preview_row_begin(&p, profile, strlen(profile));
}

static void event(const char *text)
{
    preview_row_event(&p, text, strlen(text));
}

/* A row {"a":"xxx…"} of so many bytes. */
static void row(size_t bytes)
{
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    memset(text, 'x', bytes);
    memcpy(text, "{\"a\":\"", 6);
    memcpy(text + bytes - 2, "\"}", 3);
    begin(text);
    preview_row_end(&p);
    free(text);
}

static void nothing_is_no_row(void **state)
{
    (void)state;
    assert_string_equal(preview_text(&p), "");
}

static void rows_are_lines_of_an_export(void **state)
{
    (void)state;
    begin("{\"a\":1}");
    preview_row_end(&p);
    begin("{}");
    preview_row_end(&p);
    begin("{\"a\":2}");
    event("{\"_id\":\"1\"}");
    event("{\"_id\":\"2\"}");
    preview_row_end(&p);
    begin("{ }");
    event("{}");
    preview_row_end(&p);
    assert_string_equal(preview_text(&p), "\n{\"a\":1}\n{}\n{\"a\":2,\"eventList\":[{\"_id\":\"1\"},{\"_id\":\"2\"}]}\n{ \"eventList\":[{}]}");
}

static void the_first_hundred_are_kept(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PREVIEW_ROWS + 5; i++) {
        begin("{}");
        if (i >= PREVIEW_ROWS)
            event("{\"late\":1}");
        preview_row_end(&p);
    }
    assert_int_equal(p.text.length, PREVIEW_ROWS * strlen("\n{}"));
    assert_null(strstr(preview_text(&p), "late"));
}

static void a_row_that_does_not_fit_leaves_its_place(void **state)
{
    (void)state;
    begin("{\"a\":1}");
    preview_row_end(&p);
    row(PREVIEW_BYTES - 6);
    row(PREVIEW_BYTES - 7 - 2);
    row(8);
    begin("{}");
    preview_row_end(&p);
    const char *third = strstr(preview_text(&p), "\n\n");
    assert_non_null(third);
    assert_int_equal(third - preview_text(&p), 8);
    assert_int_equal(p.text.length, PREVIEW_BYTES + p.rows);
    assert_string_equal(preview_text(&p) + p.text.length - 4, "\n\n{}");
}

static void neither_does_one_whose_events_are_too_many(void **state)
{
    static char long_event[70000];
    (void)state;
    memset(long_event, ' ', sizeof long_event - 1);
    memcpy(long_event, "{}", 2);
    begin("{\"a\":1}");
    for (int i = 0; i < 10; i++)
        event(long_event);
    preview_row_end(&p);
    begin("{\"a\":2}");
    preview_row_end(&p);
    assert_string_equal(preview_text(&p), "\n\n{\"a\":2}");
}

static void full_to_the_last_byte_it_still_counts_rows(void **state)
{
    (void)state;
    row(PREVIEW_BYTES);
    for (unsigned i = 1; i < PREVIEW_ROWS; i++)
        row(8);
    assert_int_equal(p.text.length, PREVIEW_BYTES + PREVIEW_ROWS);
    assert_false(p.text.overflow);
    assert_int_equal(strlen(preview_text(&p)), PREVIEW_BYTES + PREVIEW_ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_no_row, make, drop),
        cmocka_unit_test_setup_teardown(rows_are_lines_of_an_export, make, drop),
        cmocka_unit_test_setup_teardown(the_first_hundred_are_kept, make, drop),
        cmocka_unit_test_setup_teardown(a_row_that_does_not_fit_leaves_its_place, make, drop),
        cmocka_unit_test_setup_teardown(neither_does_one_whose_events_are_too_many, make, drop),
        cmocka_unit_test_setup_teardown(full_to_the_last_byte_it_still_counts_rows, make, drop),
    };
    return cmocka_run_group_tests_name("preview", tests, NULL, NULL);
}
