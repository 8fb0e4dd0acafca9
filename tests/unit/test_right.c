/*
 * test_right: names to rights and back; what is no name grants nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/right.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    const char *name;
    enum right right;
} NAMES[] = {
    {"catalog:read", RIGHT_CATALOG_READ}, {"catalog:write", RIGHT_CATALOG_WRITE}, {"export:read", RIGHT_EXPORT_READ},
    {"export:write", RIGHT_EXPORT_WRITE}, {"profile:read", RIGHT_PROFILE_READ},   {"profile:write", RIGHT_PROFILE_WRITE},
    {"ingest:write", RIGHT_INGEST_WRITE}, {"files:read", RIGHT_FILES_READ},       {"schema:read", RIGHT_SCHEMA_READ},
    {"schema:write", RIGHT_SCHEMA_WRITE},
};

static void each_name_is_one_right(void **state)
{
    unsigned all = 0;
    (void)state;
    for (size_t i = 0; i < N(NAMES); i++) {
        unsigned unknown = 9;
        assert_int_equal(right_parse(NAMES[i].name, &unknown), NAMES[i].right);
        assert_int_equal(unknown, 0);
        assert_string_equal(right_name(NAMES[i].right), NAMES[i].name);
        all |= (unsigned)NAMES[i].right;
    }
    assert_int_equal(all, RIGHT_ALL);
}

static void parses_lists(void **state)
{
    static const struct {
        const char *text;
        unsigned set;
        unsigned unknown;
    } row[] = {
        {"", 0, 0},
        {" , ,, ", 0, 0},
        {"export:read export:write", RIGHT_EXPORT_READ | RIGHT_EXPORT_WRITE, 0},
        {"export:read,export:write", RIGHT_EXPORT_READ | RIGHT_EXPORT_WRITE, 0},
        {", export:read ,, files:read,", RIGHT_EXPORT_READ | RIGHT_FILES_READ, 0},
        {"export:read export:read", RIGHT_EXPORT_READ, 0},
        /* tolerated, and worth nothing */
        {"openid AdobeID read_organizations", 0, 3},
        {"openid,export:read,x", RIGHT_EXPORT_READ, 2},
        {"export", 0, 1},
        {"export:", 0, 1},
        {"export:rea", 0, 1},
        {"export:readx", 0, 1},
        {"xexport:read", 0, 1},
        {"Export:Read", 0, 1},
        {"EXPORT:READ", 0, 1},
        {"export:*", 0, 1},
        {"*", 0, 1},
        {"export :read", 0, 2},
        {"export:read\texport:write", 0, 1},
        {"export:read\nexport:write", 0, 1},
        {"export:read;files:read", 0, 1},
        {"export:read\xc2\xa0", 0, 1},
        {"1023", 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        unsigned unknown = 99;
        unsigned set = right_parse(row[i].text, &unknown);
        if (set != row[i].set || unknown != row[i].unknown)
            fail_msg("%s: set %u, unknown %u", row[i].text, set, unknown);
        assert_int_equal(right_parse(row[i].text, NULL), row[i].set);
    }
}

static void prints_what_it_parses(void **state)
{
    char text[256];
    (void)state;
    for (unsigned set = 0; set <= RIGHT_ALL; set++) {
        unsigned unknown = 9;
        right_print(set, set % 2 ? ' ' : ',', text, sizeof text);
        assert_int_equal(right_parse(text, &unknown), set);
        assert_int_equal(unknown, 0);
    }
    right_print(RIGHT_EXPORT_READ | RIGHT_FILES_READ, ' ', text, sizeof text);
    assert_string_equal(text, "export:read files:read");
    right_print(~(unsigned)RIGHT_ALL, ' ', text, sizeof text);
    assert_string_equal(text, "");
}

/* Whatever room there is: it is not passed, and the text has its end. */
static void print_keeps_to_its_room(void **state)
{
    (void)state;
    for (size_t size = 1; size < 200; size++) {
        char *text = malloc(size); /* exact, for ASan */
        memset(text, 'x', size);
        right_print(RIGHT_ALL, ' ', text, size);
        assert_true(memchr(text, '\0', size) != NULL);
        free(text);
    }
}

static void no_single_right_has_no_name(void **state)
{
    static const unsigned BAD[] = {0, RIGHT_ALL, RIGHT_EXPORT_READ | RIGHT_EXPORT_WRITE, 1u << 10, 1u << 31};
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        enum right right;
        memcpy(&right, &BAD[i], sizeof right);
        assert_string_equal(right_name(right), "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_name_is_one_right),  cmocka_unit_test(parses_lists),
        cmocka_unit_test(prints_what_it_parses),   cmocka_unit_test(print_keeps_to_its_room),
        cmocka_unit_test(no_single_right_has_no_name),
    };
    return cmocka_run_group_tests_name("right", tests, NULL, NULL);
}
