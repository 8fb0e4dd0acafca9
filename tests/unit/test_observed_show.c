/*
 * test_observed_show: what a client is told of the records of a dataset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/observed.h"
#include "core/observed_show.h"
#include "lib/jsonio.h"

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(4u * 1024u * 1024u);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const char *shown(const char *stored, bool counts)
{
    struct json_object *tree;
    size_t length;
    arena_reset(arena);
    assert_int_equal(observed_show(stored, strlen(stored), counts, &tree), FAULT_NONE);
    return jsonio_print(arena, jsonio_own(arena, tree), &length);
}

/* What a member with these types is shown as; `below` is the rest of its stored node. */
static void assert_member(const char *types, const char *below, const char *wanted)
{
    char stored[1000], whole[1000];
    snprintf(stored, sizeof stored, "{\"t\":{\"object\":9},\"m\":{\"a\":{\"t\":{%s}%s}}}", types, below);
    snprintf(whole, sizeof whole, "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"properties\":{\"a\":%s}}", wanted);
    assert_string_equal(shown(stored, false), whole);
}

static void every_type_has_its_form(void **state)
{
    (void)state;
    assert_member("\"boolean\":1", "", "{\"type\":\"boolean\",\"meta:xdmType\":\"boolean\"}");
    assert_member("\"integer\":1", "", "{\"type\":\"integer\",\"meta:xdmType\":\"long\"}");
    assert_member("\"number\":1", "", "{\"type\":\"number\",\"meta:xdmType\":\"double\"}");
    assert_member("\"string\":1", "", "{\"type\":\"string\",\"meta:xdmType\":\"string\"}");
    assert_member("\"datetime\":1", "",
                  "{\"type\":\"string\",\"meta:xdmType\":\"date-time\",\"format\":\"date-time\"}");
    assert_member("\"null\":1", "", "{\"type\":\"null\",\"meta:xdmType\":\"null\"}");
    assert_member("\"object\":1", "", "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"properties\":{}}");
    assert_member("\"array\":1", "", "{\"type\":\"array\",\"meta:xdmType\":\"array\"}");
    assert_member("\"array\":1", ",\"i\":{\"t\":{\"integer\":3}}",
                  "{\"type\":\"array\",\"meta:xdmType\":\"array\",\"items\":{\"type\":\"integer\",\"meta:xdmType\":\"long\"}}");
}

static void several_types_are_the_widest(void **state)
{
    (void)state;
    assert_member("\"integer\":1,\"number\":1", "", "{\"type\":\"number\",\"meta:xdmType\":\"double\"}");
    assert_member("\"datetime\":1,\"string\":1", "", "{\"type\":\"string\",\"meta:xdmType\":\"string\"}");
    assert_member("\"null\":1,\"integer\":1", "", "{\"type\":\"integer\",\"meta:xdmType\":\"long\"}");
    assert_member("\"integer\":1,\"string\":1", "", "{\"type\":\"string\",\"meta:xdmType\":\"mixed\"}");
    assert_member("\"boolean\":1,\"integer\":1", "", "{\"type\":\"string\",\"meta:xdmType\":\"mixed\"}");
    assert_member("\"object\":1,\"string\":1", ",\"m\":{\"b\":{\"t\":{\"null\":1}}}",
                  "{\"type\":\"string\",\"meta:xdmType\":\"mixed\"}");
}

static void maps_and_open_objects_have_no_members(void **state)
{
    (void)state;
    assert_member("\"object\":1", ",\"o\":true",
                  "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"additionalProperties\":true}");
    assert_string_equal(shown("{\"t\":{\"object\":1},\"m\":{\"identityMap\":{\"t\":{\"object\":1},\"v\":{\"t\":{\"array\":2}}}}}", false),
                        "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"properties\":{\"identityMap\":{\"type\":\"object\","
                        "\"meta:xdmType\":\"map\",\"additionalProperties\":{\"type\":\"array\",\"meta:xdmType\":\"array\"}}}}");
}

static void counts_tell_how_many_values_were_seen(void **state)
{
    (void)state;
    assert_string_equal(shown("{\"t\":{\"object\":7},\"m\":{\"a\":{\"t\":{\"null\":2,\"integer\":3,\"number\":1}}}}", true),
                        "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"properties\":{\"a\":{\"type\":\"number\","
                        "\"meta:xdmType\":\"double\",\"meta:count\":6}},\"meta:count\":7}");
}

static void nothing_seen_is_empty(void **state)
{
    (void)state;
    assert_string_equal(shown("{\"t\":{}}", true), "{}");
}

static void names_are_any_text(void **state)
{
    (void)state;
    assert_string_equal(shown("{\"t\":{\"object\":1},\"m\":{\"\":{\"t\":{\"null\":1}},\"\\n\\\"\xc3\xa9\":{\"t\":{\"null\":1}}}}", false),
                        "{\"type\":\"object\",\"meta:xdmType\":\"object\",\"properties\":{\"\":{\"type\":\"null\",\"meta:xdmType\":"
                        "\"null\"},\"\\n\\\"\xc3\xa9\":{\"type\":\"null\",\"meta:xdmType\":\"null\"}}}");
}

static void a_broken_text_is_a_fault_of_ours(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {"", "{}", "[]", "{\"t\":{\"text\":1}}", "{\"t\":{\"object\":1},\"x\":{}}", "{\"t\":{}"};
    for (size_t i = 0; i < sizeof BROKEN / sizeof *BROKEN; i++) {
        struct json_object *tree;
        assert_int_equal(observed_show(BROKEN[i], strlen(BROKEN[i]), true, &tree), FAULT_INTERNAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_its_form),
        cmocka_unit_test(several_types_are_the_widest),
        cmocka_unit_test(maps_and_open_objects_have_no_members),
        cmocka_unit_test(counts_tell_how_many_values_were_seen),
        cmocka_unit_test(nothing_seen_is_empty),
        cmocka_unit_test(names_are_any_text),
        cmocka_unit_test(a_broken_text_is_a_fault_of_ours),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
