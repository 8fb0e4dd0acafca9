/*
 * test_merge_membership: segmentMembership united over fragments, and what is found in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/spec.h"
#include "merge_bodies.h"

#define SM(inside) "\"segmentMembership\":{" inside "}"

static void unites_memberships(void **state)
{
    static const struct row row[] = {
        {"",
         {"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"t\":1}}") "}", "{" SM("\"u\":{\"s\":{\"t\":2}}") "}"},
         "{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"t\":2}}") "}"},
        {"", {"{" SM("") "}", "{\"a\":1," SM("\"u\":{}") "}"}, "{" SM("\"u\":{}") ",\"a\":1}"},
        {"", {"{\"a\":{" SM("\"u\":{}") "}}", "{\"a\":{" SM("\"u\":1") "}}"}, "{\"a\":{" SM("\"u\":1") "}}"},
        {"",
         {"{" SM("\"u\":{\"s\":{\"x\":{\"y\":1}}}") "}", "{" SM("\"u\":{\"s\":{\"x\":[1]}}") "}"},
         "{" SM("\"u\":{\"s\":{\"x\":[1]}}") "}"},
        {"u,segmentMembership.u.s.x",
         {"{" SM("\"u\":{\"s\":{\"x\":1,\"y\":2}}") "}", "{" SM("\"v\":{\"s\":{\"x\":1}}") "}"},
         "{" SM("\"u\":{\"s\":{\"x\":1}}") "}"},
    };
    (void)state;
    check_rows(row, N(row));
}

static void ignores_what_is_no_membership(void **state)
{
    static const struct row row[] = {
        {"", {"{\"segmentMembership\":null,\"a\":1}"}, "{\"a\":1}"},
        {"", {"{\"segmentMembership\":[{}]}", "{\"segmentMembership\":5}"}, "{}"},
        {"", {"{" SM("\"u\":{\"s\":{}}") "}", "{\"segmentMembership\":null}"}, "{" SM("\"u\":{\"s\":{}}") "}"},
        {"", {"{" SM("\"u\":null,\"v\":{\"s\":{\"x\":1}}") "}"}, "{" SM("\"v\":{\"s\":{\"x\":1}}") "}"},
        {"", {"{" SM("\"u\":{\"r\":1,\"s\":{\"x\":null}}") "}"}, "{" SM("\"u\":{\"s\":{\"x\":null}}") "}"},
        {"", {"{" SM("\"u\":{\"r\":[]}") "}"}, "{" SM("\"u\":{}") "}"},
        {"",
         {"{" SM("\"u\":{\"s\":{\"x\":1}}") "}", "{" SM("\"u\":7") "}", "{" SM("\"u\":{\"s\":\"\"}") "}",
          "{" SM("\"u\":{\"s\":{\"y\":1}}") "}"},
         "{" SM("\"u\":{\"s\":{\"x\":1,\"y\":1}}") "}"},
        {"segmentMembership.u.s.x",
         {"{" SM("\"u\":{\"s\":{\"x\":1,\"y\":2},\"r\":1}") "}"},
         "{" SM("\"u\":{\"s\":{\"x\":1}}") "}"},
        {"segmentMembership.u", {"{" SM("\"u\":{\"s\":{\"x\":1},\"r\":1}") "}"}, "{" SM("\"u\":{\"s\":{\"x\":1}}") "}"},
        {"segmentMembership.u.r,segmentMembership.v", {"{" SM("\"u\":{\"r\":1},\"v\":1") "}"}, "{}"},
    };
    (void)state;
    check_rows(row, N(row));
}

#define WHENEVER INT64_MIN, INT64_MAX
#define IN_NOW (SPEC_REALIZED | SPEC_EXISTING)

static void looks_into_memberships(void **state)
{
    static const struct {
        const char *body[3];
        struct merge_membership wanted;
        bool expected;
    } row[] = {
        {{NULL}, {NULL, NULL, 7, WHENEVER}, false},
        {{"{}"}, {"u", "s", 7, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}"}, {"u", "s", IN_NOW, WHENEVER}, true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}"}, {NULL, NULL, IN_NOW, WHENEVER}, true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"exited\"}}") "}"}, {"u", "s", IN_NOW, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"exited\"}}") "}"}, {NULL, NULL, IN_NOW, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"exited\"}}") "}"}, {"u", "s", SPEC_EXITED, WHENEVER}, true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"Realized\"}}") "}"}, {"u", "s", 7, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{}}") "}"}, {"u", "s", 7, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":[\"realized\"]}}") "}"}, {"u", "s", 7, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}"}, {"v", "s", 7, WHENEVER}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}"}, {"s", "u", 7, WHENEVER}, false},
        {{"{\"segmentM\\u0065mbership\":{\"\\u0075\":{\"\\u0073\":{\"st\\u0061tus\":\"\\u0072ealized\"}}}}"},
         {"u", "s", 7, WHENEVER},
         true},
        {{"{\"a\":{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}}"}, {"u", "s", 7, WHENEVER}, false},
        /* several fragments: each member from the strongest that has it */
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}", "{" SM("\"u\":{\"s\":{\"status\":\"exited\"}}") "}"},
         {"u", "s", IN_NOW, WHENEVER},
         false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"exited\"}}") "}", "{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}",
          "{" SM("\"u\":{\"s\":{\"x\":1}}") "}"},
         {"u", "s", IN_NOW, WHENEVER},
         true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}", "{" SM("\"u\":{\"s\":{\"status\":null}}") "}"},
         {NULL, NULL, 7, WHENEVER},
         false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}", "{" SM("\"u\":{\"s\":5}") "}", "{" SM("\"u\":5") "}"},
         {"u", "s", 7, WHENEVER},
         true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}", "{\"segmentMembership\":null}"},
         {"u", "s", 7, WHENEVER},
         true},
        /* time */
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"1970-01-01T00:00:01Z\"}}") "}"},
         {"u", "s", 7, 1000, 1000},
         true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"1970-01-01T00:00:01Z\"}}") "}"},
         {"u", "s", 7, 1001, INT64_MAX},
         false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"1970-01-01T00:00:01Z\"}}") "}"},
         {"u", "s", 7, INT64_MIN, 999},
         false},
        {{"{" SM(
             "\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"1970\\u002d01-01T00:00:01Z\"}}") "}"},
         {NULL, NULL, 7, 0, INT64_MAX},
         true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\"}}") "}"}, {"u", "s", 7, 0, INT64_MAX}, false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":1000}}") "}"},
         {"u", "s", 7, 0, INT64_MAX},
         false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"soon\"}}") "}"},
         {"u", "s", 7, INT64_MIN, 2000},
         false},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"soon\"}}") "}"},
         {"u", "s", 7, WHENEVER},
         true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"1970-01-01T00:00:01Z\"}}") "}",
          "{" SM("\"u\":{\"s\":{\"lastQualificationTime\":\"1970-01-01T00:00:05Z\"}}") "}"},
         {"u", "s", 7, 2000, 6000},
         true},
        {{"{" SM("\"u\":{\"s\":{\"status\":\"realized\",\"lastQualificationTime\":\"1970-01-01T00:00:01Z\"}}") "}",
          "{" SM("\"u\":{\"s\":{\"lastQualificationTime\":\"soon\"}}") "}"},
         {"u", "s", 7, 0, 6000},
         false},
    };
    struct str out = STR_INIT(4096);
    (void)state;
    for (size_t i = 0; i < N(row); i++) {
        size_t count = 0;
        while (count < 3 && row[i].body[count] != NULL)
            count++;
        str_reset(&out);
        /* asked whatever the projection, and the same again */
        assert_int_equal(merge_bodies(row[i].body, count, i % 2 == 0 ? "" : "a", &out), FAULT_NONE);
        assert_int_equal(merge_has_membership(merge, &row[i].wanted), row[i].expected);
        assert_int_equal(merge_has_membership(merge, &row[i].wanted), row[i].expected);
    }
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unites_memberships),
        cmocka_unit_test(ignores_what_is_no_membership),
        cmocka_unit_test(looks_into_memberships),
    };
    return cmocka_run_group_tests_name("merge_membership", tests, open_merge, close_merge);
}
