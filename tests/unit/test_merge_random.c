/*
 * test_merge_random: thousands of random profiles, merged, projected and searched, against a slow oracle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "merge_bodies.h"
#include "merge_oracle.h"

static void append_random_value(struct str *text, int depth);

static void append_random_object(struct str *text, int depth)
{
    static const char *const name[] = {"a", "b", "\\u0063", "d", "abcdefghij", "abcdefghik", "identities"};
    bool any = false;
    str_append_char(text, '{');
    for (size_t i = 0; i < N(name); i++) {
        if (rand() % 5 > 1)
            continue;
        str_printf(text, "%s\"%s\":", any ? "," : "", name[i][0] != '\\' || rand() % 2 == 0 ? name[i] : "c");
        append_random_value(text, depth - 1);
        any = true;
    }
    str_append_text(text, rand() % 8 == 0 ? " \n}" : "}");
}

static void append_random_value(struct str *text, int depth)
{
    int kind = rand() % (depth > 0 ? 10 : 4);
    if (kind >= 6) {
        append_random_object(text, depth);
    } else if (kind >= 4) {
        int count = rand() % 3;
        str_append_char(text, '[');
        for (int i = 0; i < count; i++) {
            str_append_text(text, i == 0 ? "" : ", ");
            append_random_value(text, depth - 1);
        }
        str_append_char(text, ']');
    } else if (kind == 0) {
        str_append_text(text, "null");
    } else if (kind == 1) {
        str_append_text(text, rand() % 2 == 0 ? "true" : "false");
    } else {
        str_printf(text, kind == 2 ? "%d" : "\"t\\n\xc3\xa9%d\"", rand() % 100);
    }
}

static void append_random_map(struct str *text)
{
    static const char *const space[] = {"Email", "\\u0045CID", "Phone"};
    bool any = false;
    str_append_text(text, "\"identityMap\":{");
    for (size_t i = 0; i < N(space); i++) {
        if (rand() % 3 == 0)
            continue;
        str_printf(text, "%s\"%s\":[", any ? "," : "", i == 1 && rand() % 2 == 0 ? "ECID" : space[i]);
        int count = rand() % 4;
        for (int n = 0; n < count; n++) {
            str_printf(text, "%s{\"id\":\"%s%d\"", n == 0 ? "" : ",", rand() % 4 == 0 ? "\\u0078" : "x", rand() % 5);
            if (rand() % 2 == 0)
                str_printf(text, ",\"primary\":%s", rand() % 2 == 0 ? "true" : "false");
            if (rand() % 3 == 0)
                str_printf(text, ",\"authenticatedState\":{\"k%d\":%d}", rand() % 3, rand() % 3);
            str_append_char(text, '}');
        }
        if (rand() % 10 == 0)
            str_append_text(text, count == 0 ? "5" : ",5"); /* no identity */
        str_append_char(text, ']');
        any = true;
    }
    str_append_char(text, '}');
}

/* Mostly of the form that ingestion takes. */
static void append_random_membership(struct str *text)
{
    static const char *const member[] = {"\"status\":\"realized\"",
                                         "\"status\":\"exited\"",
                                         "\"st\\u0061tus\":\"existing\"",
                                         "\"status\":5",
                                         "\"lastQualificationTime\":\"1970-01-01T00:00:00.001Z\"",
                                         "\"lastQualificationTime\":\"1970-01-01T00:00:00.002\\u005a\"",
                                         "\"lastQualificationTime\":\"?\"",
                                         "\"x\":{\"y\":1}",
                                         "\"x\":{\"z\":[2]}"};
    bool broken = rand() % 4 == 0;
    str_append_text(text, "\"segmentMembership\":{");
    for (int ns = 0; ns < rand() % 4; ns++) {
        static const char *const space[] = {"ups", "\\u0075ps2", "a"};
        str_printf(text, "%s\"%s\":", ns == 0 ? "" : ",", space[ns % 3]);
        if (ns == 3 || (broken && rand() % 3 == 0)) {
            append_random_value(text, 1);
            break;
        }
        str_append_char(text, '{');
        for (int id = 0; id < rand() % 4; id++) {
            str_printf(text, "%s\"s%d\":", id == 0 ? "" : ",", id);
            if (broken && rand() % 3 == 0) {
                append_random_value(text, 1);
                continue;
            }
            int first = rand() % 4;
            str_printf(text, "{%s", rand() % 4 == 0 ? "" : member[first]);
            if (text->data[text->length - 1] != '{')
                str_printf(text, ",%s,%s", member[4 + rand() % 3], member[7 + rand() % 2]);
            str_append_char(text, '}');
        }
        str_append_char(text, '}');
    }
    str_append_char(text, '}');
}

static void make_random_body(struct str *text)
{
    str_reset(text);
    append_random_object(text, 4);
    if (rand() % 2 == 0 && text->data[1] == '"') {
        struct str whole = STR_INIT(1 << 20);
        str_append_char(&whole, '{');
        if (rand() % 10 == 0)
            str_append_text(&whole, "\"segmentMembership\":null");
        else
            append_random_membership(&whole);
        str_printf(&whole, ",%s", text->data + 1);
        str_free(text);
        *text = whole;
    }
    if (rand() % 4 == 0 || text->data[1] != '"')
        return;
    /* The map goes first or last, for the order of members. */
    struct str map = STR_INIT(1 << 16);
    append_random_map(&map);
    struct str whole = STR_INIT(1 << 20);
    if (rand() % 2 == 0) {
        str_printf(&whole, "{%s,%s", map.data, text->data + 1);
    } else {
        str_append(&whole, text->data, strlen(text->data) - 1);
        str_printf(&whole, ",%s}", map.data);
    }
    str_free(&map);
    str_free(text);
    *text = whole;
}

/* Makes up to six paths, as a string and as the oracle wants them. */
static void make_random_paths(struct str *fields, char store[6][128], struct oracle_paths *paths)
{
    static const char *const name[] = {"a",
                                       "b",
                                       "c",
                                       "d",
                                       "abcdefghij",
                                       "identities",
                                       "id",
                                       "namespace",
                                       "code",
                                       "primary",
                                       "segmentMembership",
                                       "segmentMembership.ups",
                                       "segmentMembership.ups2.s0",
                                       "x"};
    str_reset(fields);
    str_append_text(fields, "");
    paths->count = (size_t)(rand() % 7);
    for (size_t i = 0; i < paths->count; i++) {
        int segments = 1 + rand() % 3;
        store[i][0] = '\0';
        for (int n = 0; n < segments; n++) {
            size_t used = strlen(store[i]);
            snprintf(store[i] + used, 128 - used, "%s%s", n == 0 ? "" : ".", name[(size_t)rand() % N(name)]);
        }
        paths->path[i] = store[i];
        str_printf(fields, "%s%s", i == 0 ? "" : " , ", store[i]);
    }
}

static void check_memberships(const char *const *body, size_t count)
{
    static const char *const name[][2] = {{NULL, NULL}, {"ups", "s0"}, {"ups", "s1"}, {"ups2", "s0"}, {"a", "s2"}};
    json_object *merged = oracle_merge(body, count);
    for (int i = 0; i < 8; i++) {
        size_t which = (size_t)rand() % N(name);
        struct merge_membership wanted = {name[which][0], name[which][1], (unsigned)rand() % 8, INT64_MIN, INT64_MAX};
        if (rand() % 2 == 0)
            wanted.from_ms = 1 + rand() % 2;
        if (rand() % 2 == 0)
            wanted.to_ms = 1 + rand() % 2;
        if (merge_has_membership(merge, &wanted) != oracle_has_membership(merged, &wanted)) {
            for (size_t n = 0; n < count; n++)
                print_message("fragment %zu: %s\n", n, body[n]);
            fail_msg("%s %s statuses %u, %lld to %lld", wanted.ns, wanted.id, wanted.statuses,
                     (long long)wanted.from_ms, (long long)wanted.to_ms);
        }
    }
    json_object_put(merged);
}

static void agrees_with_the_oracle(void **state)
{
    struct str text[5] = {STR_INIT(1 << 20), STR_INIT(1 << 20), STR_INIT(1 << 20), STR_INIT(1 << 20),
                          STR_INIT(1 << 20)};
    struct str fields = STR_INIT(1 << 16);
    struct str out = STR_INIT(1 << 20);
    (void)state;
    srand(2);
    for (int round = 0; round < 5000; round++) {
        const char *body[5];
        char store[6][128];
        struct oracle_paths paths;
        size_t count = (size_t)(rand() % 6);
        for (size_t i = 0; i < count; i++) {
            make_random_body(&text[i]);
            body[i] = text[i].data;
        }
        make_random_paths(&fields, store, &paths);
        str_reset(&out);
        assert_int_equal(merge_bodies(body, count, fields.data, &out), FAULT_NONE);
        check_memberships(body, count);
        assert_null(strpbrk(out.data, "\n\r"));
        assert_int_equal(out.data[0], '{');
        assert_int_equal(out.data[out.length - 1], '}');

        json_object *row = json_tokener_parse(out.data);
        char *expected = oracle_row(body, count, &paths);
        const char *got = json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN);
        if (strcmp(got, expected) != 0) {
            for (size_t i = 0; i < count; i++)
                print_message("fragment %zu: %s\n", i, body[i]);
            fail_msg("fields %s\ngot      %s\nexpected %s", fields.data, got, expected);
        }
        free(expected);
        json_object_put(row);
    }
    for (size_t i = 0; i < N(text); i++)
        str_free(&text[i]);
    str_free(&fields);
    str_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_oracle),
    };
    return cmocka_run_group_tests_name("merge_random", tests, open_merge, close_merge);
}
