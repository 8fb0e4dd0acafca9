/*
 * csv: what a row becomes, and what header and rows must be. And how upload cuts a CSV file into rows, in pieces of one
 * byte and of everything at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/csv.h"
#include "store/upload.h"

#define MOST_BYTES 4096u
#define N(array) (sizeof(array) / sizeof(array)[0])

static struct csv csv;

static int set_up(void **state)
{
    (void)state;
    return csv_init(&csv, MOST_BYTES) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    csv_free(&csv);
    return 0;
}

/* Members that begin with n are numbers, with b booleans, with x both. */
static unsigned kind_of(void *arg, const char *path, size_t length)
{
    assert_ptr_equal(arg, &csv);
    assert_true(length > 0);
    return *path == 'n' ? CSV_NUMBER : *path == 'b' ? CSV_BOOLEAN : *path == 'x' ? CSV_NUMBER | CSV_BOOLEAN : CSV_STRING;
}

static bool header(const char *text)
{
    return csv_header(&csv, text, strlen(text), ',', kind_of, &csv);
}

static void assert_row(const char *names, const char *row, const char *wanted)
{
    assert_true(header(names));
    assert_true(csv_row(&csv, row, strlen(row)));
    assert_string_equal(csv.json.data, wanted);
    assert_int_equal(csv.json.length, strlen(wanted));
}

static void fields_become_members(void **state)
{
    (void)state;
    assert_row("a", "x", "{\"a\":\"x\"}");
    assert_row("a,c", "x,y", "{\"a\":\"x\",\"c\":\"y\"}");
    assert_row("\"a\",\"c \"\"d\"\"\"", " x , y", "{\"a\":\" x \",\"c \\\"d\\\"\":\" y\"}");
    assert_row("a,c", "\"x,y\",\"1\"\"2\"", "{\"a\":\"x,y\",\"c\":\"1\\\"2\"}");
    assert_row("a", "\"two\r\nlines\t\\\"", "{\"a\":\"two\\r\\nlines\\t\\\\\"}");
}

static void an_empty_field_is_absent_unless_it_is_quoted(void **state)
{
    (void)state;
    assert_row("a,c,d", ",x,", "{\"c\":\"x\"}");
    assert_row("a,c,d", "\"\",,\"\"", "{\"a\":\"\",\"d\":\"\"}");
    assert_row("a,c", ",", "{}");
    assert_row("n,b,x", ",,", "{}");
}

static void dots_nest_objects(void **state)
{
    (void)state;
    assert_row("p.n.f,q,p.m,p.n.l", "1,2,3,4", "{\"p\":{\"n\":{\"f\":\"1\",\"l\":\"4\"},\"m\":\"3\"},\"q\":\"2\"}");
    assert_row("p.n.f,q,p.m,p.n.l", ",2,3,", "{\"p\":{\"m\":\"3\"},\"q\":\"2\"}");
    assert_row("p.n.f,q", ",", "{}");
    assert_row("q,p.n.f,r", "1,,2", "{\"q\":\"1\",\"r\":\"2\"}");
}

static void types_follow_the_schema(void **state)
{
    (void)state;
    static const char *const NUMBERS[] = {"0", "-0", "12", "-3.50", "1e3", "0.5E-7", "12345678901234567890"};
    static const char *const TEXTS[] = {"007", "+1", "1.", ".5", "-", "1e", "1e+", "0x1", " 1", "1 ", "NaN", "true", "1,5"};
    char row[64], wanted[64];
    for (size_t i = 0; i < N(NUMBERS); i++) {
        snprintf(row, sizeof row, "\"%s\"", NUMBERS[i]);
        snprintf(wanted, sizeof wanted, "{\"n\":%s}", NUMBERS[i]);
        assert_row("n", row, wanted);
        assert_row("n", NUMBERS[i], wanted);
        snprintf(wanted, sizeof wanted, "{\"a\":\"%s\"}", NUMBERS[i]);
        assert_row("a", row, wanted);
    }
    for (size_t i = 0; i < N(TEXTS); i++) {
        snprintf(row, sizeof row, "\"%s\"", TEXTS[i]);
        snprintf(wanted, sizeof wanted, "{\"n\":\"%s\"}", TEXTS[i]);
        assert_row("n", row, wanted);
    }
    assert_row("b,b2,b3,b4", "true,FALSE,1,yes", "{\"b\":true,\"b2\":false,\"b3\":\"1\",\"b4\":\"yes\"}");
    assert_row("x,x2,x3", "True,5,x", "{\"x\":true,\"x2\":5,\"x3\":\"x\"}");
}

static void a_row_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const char *const ROWS[] = {"", "x", "x,y,z", "x\"y,z", "\"x\"y,z", "\"x,y", "\"x\",\"y", "x,y\"", "\"x\" ,y", "\"\"\",y",
                                       "x\ry,z", "x,y\r", "x,\ry"};
    assert_true(header("a,c"));
    for (size_t i = 0; i < N(ROWS); i++) {
        csv.reason[0] = '\0';
        assert_false(csv_row(&csv, ROWS[i], strlen(ROWS[i])));
        assert_true(csv.reason[0] != '\0');
    }
    assert_true(csv_row(&csv, "x,y", 3)); /* and none of them costs the next */
    assert_string_equal(csv.json.data, "{\"a\":\"x\",\"c\":\"y\"}");
}

static void a_header_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const char *const HEADERS[] = {"", "a,a", "a,", ",a", "a,,c", "a,\"\"", "a.,c", ".a", "a..c", "a,a.c", "a.c,a",
                                          "a.c.d,a.c", "a.c,a.c.d", "\"a", "a\"b", "\"a\"b", "\"\"", "a,c\rx,y\r"};
    char deep[2 * CSV_DEPTH_MAX + 3];
    for (size_t i = 0; i < N(HEADERS); i++) {
        csv.reason[0] = '\0';
        assert_false(header(HEADERS[i]));
        assert_true(csv.reason[0] != '\0');
    }
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = i % 2 == 0 ? 'a' : '.';
    assert_true(csv_header(&csv, deep, 2 * CSV_DEPTH_MAX - 1, ',', NULL, NULL));
    assert_false(csv_header(&csv, deep, 2 * CSV_DEPTH_MAX + 1, ',', NULL, NULL));
}

static void too_many_columns_are_refused(void **state)
{
    (void)state;
    struct csv wide;
    struct str text = STR_INIT(1u << 20);
    assert_true(csv_init(&wide, 1u << 20));
    for (unsigned i = 0; i < CSV_COLUMNS_MAX; i++)
        str_printf(&text, i == 0 ? "c%u" : ",c%u", i);
    assert_true(csv_header(&wide, text.data, text.length, ',', NULL, NULL));
    assert_int_equal(wide.columns, CSV_COLUMNS_MAX);
    str_append_text(&text, ",more");
    assert_false(csv_header(&wide, text.data, text.length, ',', NULL, NULL));
    str_free(&text);
    csv_free(&wide);
}

static void a_row_that_grows_over_the_limit_is_refused(void **state)
{
    (void)state;
    char row[MOST_BYTES];
    memset(row, '\x01', sizeof row); /* six bytes each in JSON */
    assert_true(header("a"));
    assert_false(csv_row(&csv, row, sizeof row));
    assert_string_equal(csv.code, "size");
    assert_true(csv_row(&csv, row, sizeof row / 8));
}

/* Cutting. */

struct source {
    const char *text;
    size_t at, piece;
};

static ssize_t source_read(void *arg, char *out, size_t room)
{
    struct source *s = arg;
    size_t n = strlen(s->text + s->at);
    n = n < s->piece ? n : s->piece;
    n = n < room ? n : room;
    memcpy(out, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

/* Each row as line:offset:text|, with O for one that is too long. */
static void assert_rows(const char *text, const char *wanted)
{
    for (size_t piece = 1; piece < 5000; piece += 4998) {
        struct source source = {.text = text, .piece = piece};
        struct upload upload;
        struct upload_record at;
        enum upload_result found;
        char got[1024] = "";
        size_t used = 0;
        assert_true(upload_init(&upload, 64));
        upload_open_rows(&upload, source_read, &source, ';');
        while ((found = upload_next(&upload, &at)) != UPLOAD_END) {
            assert_true(found == UPLOAD_RECORD || found == UPLOAD_OVERSIZED);
            used += (size_t)snprintf(got + used, sizeof got - used, "%lld:%lld:%.*s|", (long long)at.line,
                                     (long long)at.offset, found == UPLOAD_RECORD ? (int)at.length : 1,
                                     found == UPLOAD_RECORD ? at.text : "O");
            assert_true(used < sizeof got);
        }
        assert_string_equal(got, wanted);
        upload_free(&upload);
    }
}

static void rows_end_with_lines_outside_of_quotes(void **state)
{
    (void)state;
    assert_rows("", "");
    assert_rows("\r\n\n", "");
    assert_rows("a;b\n1;2", "1:0:a;b|2:4:1;2|");
    assert_rows("a;b\r\n1;2\r\n", "1:0:a;b|2:5:1;2|");
    assert_rows("\xef\xbb\xbf" "a\nb\n", "1:3:a|2:5:b|");
    assert_rows("a\n\n\r\n b\t\n", "1:0:a|4:5: b\t|");
    assert_rows("\"x\ny\";\"\"\"\n\"\nz", "1:0:\"x\ny\";\"\"\"\n\"|4:12:z|");
    assert_rows("a\"b\nc\n", "1:0:a\"b|2:4:c|");
    assert_rows("\"a\"b\"\nc\n", "1:0:\"a\"b\"|2:6:c|");
    assert_rows("a;\"open\n;\n", "1:0:a;\"open\n;\n|");
    assert_rows("a\n1234567890123456789012345678901234567890123456789012345678901234567890\nb\n", "1:0:a|2:2:O|3:73:b|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_members),
        cmocka_unit_test(an_empty_field_is_absent_unless_it_is_quoted),
        cmocka_unit_test(dots_nest_objects),
        cmocka_unit_test(types_follow_the_schema),
        cmocka_unit_test(a_row_that_does_not_fit_is_refused),
        cmocka_unit_test(a_header_that_does_not_fit_is_refused),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(a_row_that_grows_over_the_limit_is_refused),
        cmocka_unit_test(rows_end_with_lines_outside_of_quotes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
