/*
 * What a client is told of work that failed (spooler/job_errors): a document for every fault, that names a code of the
 * contract and whose fault it was.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <string.h>

#include "spooler/job_errors.c" /* the spooler is no part of the archive */

#define REFERENCE "0b7e6a4e-0000-4000-8000-000000000001"

/* The text of a member of the error at that place; the test fails when there is none. */
static const char *text_at(struct json_object *errors, size_t at, const char *member)
{
    struct json_object *value;
    assert_true(at < json_object_array_length(errors));
    assert_true(json_object_object_get_ex(json_object_array_get_idx(errors, at), member, &value));
    return json_object_get_string(value);
}

static struct json_object *parsed(struct str *text)
{
    assert_false(text->overflow);
    struct json_object *errors = json_tokener_parse(text->data);
    assert_non_null(errors);
    assert_true(json_object_is_type(errors, json_type_array));
    str_free(text);
    return errors;
}

static struct json_object *errors_of(enum fault fault)
{
    struct str text = STR_INIT(4096);
    job_errors_write(fault, REFERENCE, &text);
    return parsed(&text);
}

static void every_fault_has_a_document(void **state)
{
    (void)state;
    for (int fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++) {
        struct json_object *errors = errors_of((enum fault)fault);
        for (size_t i = 0; i < json_object_array_length(errors); i++) {
            const char *code = text_at(errors, i, "code");
            assert_true(strcmp(code, "0090000009") == 0 || strcmp(code, "0100000003") == 0);
            assert_string_equal(text_at(errors, i, "callStack"), REFERENCE);
            assert_null(strchr(text_at(errors, i, "msg"), '/'));
        }
        json_object_put(errors);
        struct str text = STR_INIT(1024);
        job_errors_write_load((enum fault)fault, &text);
        errors = parsed(&text);
        assert_null(strchr(text_at(errors, 0, "description"), '/'));
        assert_true(strlen(text_at(errors, 0, "code")) > 0);
        json_object_put(errors);
    }
}

static void output_that_cannot_be_written_comes_first(void **state)
{
    (void)state;
    static const enum fault WRITING[] = {FAULT_DISK, FAULT_DISK_FULL, FAULT_STORE, FAULT_QUOTA};
    for (size_t i = 0; i < sizeof WRITING / sizeof *WRITING; i++) {
        struct json_object *errors = errors_of(WRITING[i]);
        assert_int_equal(json_object_array_length(errors), 2);
        assert_string_equal(text_at(errors, 0, "code"), "0090000009");
        assert_string_equal(text_at(errors, 1, "code"), "0100000003");
        json_object_put(errors);
    }
}

/* Not the request's, where it is not: a client must not look for a mistake of its own. */
static void whose_fault_it_is_is_said(void **state)
{
    (void)state;
    static const struct {
        enum fault fault;
        const char *whose;
    } CASES[] = {{FAULT_DISK, "storage, not the request"},       {FAULT_DISK_FULL, "storage, not the request"},
                 {FAULT_DB_UNAVAILABLE, "database, not the request"}, {FAULT_INTERNAL, "not of the request"},
                 {FAULT_QUOTA, "the operator gave"},             {FAULT_POLICY, "the request's"},
                 {FAULT_HEADERS_TOO_LARGE, "not of the request"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct json_object *errors = errors_of(CASES[i].fault);
        assert_non_null(strstr(text_at(errors, 0, "msg"), CASES[i].whose));
        json_object_put(errors);
    }
}

static void killed_says_how_often_and_what_was_known(void **state)
{
    (void)state;
    struct str text = STR_INIT(1024);
    job_errors_write_killed(3, "db_unavailable", REFERENCE, &text);
    struct json_object *errors = parsed(&text);
    assert_string_equal(text_at(errors, 0, "code"), "unknown");
    assert_string_equal(text_at(errors, 0, "callStack"), REFERENCE);
    assert_non_null(strstr(text_at(errors, 0, "msg"), "None of 3 attempts"));
    assert_non_null(strstr(text_at(errors, 0, "msg"), "told db_unavailable"));
    json_object_put(errors);
    text = STR_INIT(1024);
    job_errors_write_load_killed(2, "", &text);
    errors = parsed(&text);
    assert_non_null(strstr(text_at(errors, 0, "description"), "None of 2 attempts"));
    assert_null(strstr(text_at(errors, 0, "description"), "told"));
    json_object_put(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_has_a_document),
        cmocka_unit_test(output_that_cannot_be_written_comes_first),
        cmocka_unit_test(whose_fault_it_is_is_said),
        cmocka_unit_test(killed_says_how_often_and_what_was_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
