/*
 * test_registry_merge: what the union of several definitions is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* the responder is no part of the archive */
#include "responder/registry_merge.c"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(8u * 1024u * 1024u);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct json_object *parsed(const char *text)
{
    struct json_object *tree;
    struct jsonio_refusal broken;
    assert_int_equal(jsonio_parse(arena, text, strlen(text), JSCAN_REQUEST_LIMITS, &tree, &broken), FAULT_NONE);
    return tree;
}

static const char *printed(struct json_object *tree)
{
    size_t length;
    return jsonio_print(arena, tree, &length);
}

/* The definition of one member, from two definitions of it. */
static void assert_pair(const char *a, const char *b, const char *wanted)
{
    arena_reset(arena);
    struct registry_union all = {.root = jsonio_own(arena, json_object_new_object())};
    registry_merge(&all, parsed(arena_printf(arena, "{\"properties\":{\"m\":%s}}", a)));
    registry_merge(&all, parsed(arena_printf(arena, "{\"properties\":{\"m\":%s}}", b)));
    assert_string_equal(printed(all.root), arena_printf(arena, "{\"properties\":{\"m\":%s}}", wanted));
}

/* The same both ways round. */
static void assert_types(const char *a, const char *b, const char *wanted)
{
    assert_pair(a, b, wanted);
    assert_pair(b, a, wanted);
}

#define STRING "{\"type\":\"string\"}"
#define INTEGER "{\"type\":\"integer\"}"
#define NUMBER "{\"type\":\"number\"}"
#define DATE "{\"type\":\"string\",\"format\":\"date\"}"
#define MOMENT "{\"type\":\"string\",\"format\":\"date-time\"}"
#define MIXED "{\"type\":\"string\",\"meta:xdmType\":\"mixed\"}"

static void the_widest_type_is_shown(void **state)
{
    (void)state;
    assert_types(STRING, STRING, "{\"type\":\"string\",\"meta:xdmType\":\"string\"}");
    assert_types(INTEGER, NUMBER, "{\"type\":\"number\",\"meta:xdmType\":\"double\"}");
    assert_types(INTEGER, "{\"meta:xdmType\":\"short\"}", "{\"type\":\"integer\",\"meta:xdmType\":\"long\"}");
    assert_types("{\"meta:xdmType\":\"short\"}", "{\"meta:xdmType\":\"short\"}", "{\"type\":\"integer\",\"meta:xdmType\":\"short\"}");
    assert_types(DATE, STRING, "{\"type\":\"string\",\"meta:xdmType\":\"string\"}");
    assert_types(DATE, MOMENT, "{\"type\":\"string\",\"meta:xdmType\":\"string\"}");
    assert_types(MOMENT, MOMENT, "{\"type\":\"string\",\"meta:xdmType\":\"date-time\",\"format\":\"date-time\"}");
    assert_types(STRING, INTEGER, MIXED);
    assert_types(STRING, MIXED, MIXED);
    assert_types("{\"type\":\"boolean\"}", INTEGER, MIXED);
    assert_types("{\"type\":\"object\",\"properties\":{\"a\":{}}}", STRING, MIXED);
    assert_types("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}", "{\"type\":\"object\"}", MIXED);
}

static void null_and_nothing_say_nothing(void **state)
{
    (void)state;
    assert_types("{\"type\":\"null\"}", INTEGER, "{\"type\":\"integer\",\"meta:xdmType\":\"long\"}");
    assert_types("{}", INTEGER, "{\"type\":\"integer\",\"meta:xdmType\":\"long\"}");
    assert_types("{}", "{}", "{}");
    assert_types("{\"type\":[\"null\",\"string\"]}", STRING, "{\"type\":\"string\",\"meta:xdmType\":\"string\"}");
    assert_types("{\"type\":[\"integer\",\"string\"]}", "{}", MIXED);
    assert_types("{\"type\":5,\"meta:xdmType\":\"new\"}", "5", "{}");
}

static void members_meet(void **state)
{
    (void)state;
    assert_pair("{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"type\":\"string\",\"title\":\"A\",\"enum\":[\"x\"]}}}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"title\":\"B\",\"description\":\"D\"},\"b\":{}}}",
                "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"properties\":{\"a\":{\"title\":\"A\",\"type\":\"string\","
                "\"meta:xdmType\":\"string\",\"description\":\"D\"},\"b\":{}}}");
    assert_pair("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}",
                "{\"type\":\"array\",\"meta:xdmType\":\"array\",\"items\":{\"type\":\"number\",\"meta:xdmType\":\"double\"}}");
    assert_pair("{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}", "{\"type\":\"object\",\"additionalProperties\":true}",
                "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"additionalProperties\":{\"type\":\"integer\",\"meta:xdmType\":\"long\"}}");
}

static void a_union_is_bounded(void **state)
{
    (void)state;
    arena_reset(arena);
    struct registry_union all = {.root = jsonio_own(arena, json_object_new_object())};
    struct json_object *wide = jsonio_own(arena, json_object_new_object()), *members = json_object_new_object();
    json_object_object_add(wide, "properties", members);
    for (int i = 0; i < 6000; i++)
        json_object_object_add(members, arena_printf(arena, "m%d", i), json_object_new_object());
    registry_merge(&all, wide);
    registry_merge(&all, wide);
    assert_int_equal(all.nodes, REGISTRY_UNION_NODES);
    assert_int_equal(json_object_object_length(jsonio_member(all.root, "properties", NULL)), REGISTRY_UNION_NODES);
    assert_true(json_object_get_boolean(jsonio_member(all.root, "additionalProperties", NULL)));
}

/* Else the answer, of both unions, would not fit the memory of a request. */
static void a_union_is_bounded_in_bytes(void **state)
{
    (void)state;
    char name[256], title[2001];
    struct registry_union all = {.root = jsonio_own(arena, json_object_new_object())};
    memset(title, '\n', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    struct json_object *document = jsonio_own(arena, json_object_new_object()), *members = json_object_new_object();
    json_object_object_add(document, "properties", members);
    for (unsigned i = 0; i < REGISTRY_UNION_NODES; i++) {
        snprintf(name, sizeof name, "%u", i);
        memset(name + strlen(name), 1, 250 - strlen(name));
        name[250] = '\0';
        struct json_object *definition = json_object_new_object();
        jsonio_add_text(definition, "title", title);
        json_object_object_add(members, name, definition);
    }
    registry_merge(&all, document);
    const char *text = printed(all.root);
    assert_non_null(text);
    assert_true(all.nodes > 1000 && all.nodes < REGISTRY_UNION_NODES);
    assert_non_null(strstr(text, "\"title\":\"\\n"));
    assert_true(json_object_get_boolean(jsonio_member(all.root, "additionalProperties", NULL)));
    assert_true(strlen(text) < REGISTRY_UNION_NAMES + REGISTRY_UNION_TEXTS + 150 * REGISTRY_UNION_NODES);
    assert_true(strlen(text) > (REGISTRY_UNION_NAMES + REGISTRY_UNION_TEXTS) / 2);
}

static void assert_trimmed(const char *seen, const char *declared, const char *wanted)
{
    arena_reset(arena);
    struct json_object *tree = parsed(seen);
    registry_trim(tree, parsed(declared));
    assert_string_equal(printed(tree), wanted);
}

static void what_is_declared_is_not_seen(void **state)
{
    (void)state;
    assert_trimmed("{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"},\"c\":{\"type\":\"string\"}}}",
                   "{\"properties\":{\"a\":" DATE ",\"b\":{},\"d\":" DATE "}}",
                   "{\"properties\":{\"b\":{\"type\":\"string\"},\"c\":{\"type\":\"string\"}}}");
    assert_trimmed("{\"properties\":{\"o\":{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}}}}",
                   "{\"properties\":{\"o\":{\"type\":\"object\",\"properties\":{\"a\":" DATE "}}}}",
                   "{\"properties\":{\"o\":{\"properties\":{\"b\":{\"type\":\"string\"}}}}}");
    assert_trimmed("{\"properties\":{\"l\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}",
                   "{\"properties\":{\"l\":{\"type\":\"array\",\"items\":" DATE "}}}",
                   "{\"properties\":{\"l\":{\"type\":\"array\"}}}");
    assert_trimmed("{\"properties\":{\"m\":{\"properties\":{\"x\":{\"type\":\"string\"}}}}}",
                   "{\"properties\":{\"m\":{\"type\":\"object\",\"additionalProperties\":" DATE "}}}",
                   "{\"properties\":{\"m\":{\"properties\":{}}}}");
    assert_trimmed("{\"properties\":{\"a\":{}}}", "{}", "{\"properties\":{\"a\":{}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_type_is_shown),     cmocka_unit_test(null_and_nothing_say_nothing),
        cmocka_unit_test(members_meet),                 cmocka_unit_test(a_union_is_bounded),
        cmocka_unit_test(a_union_is_bounded_in_bytes),
        cmocka_unit_test(what_is_declared_is_not_seen),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
