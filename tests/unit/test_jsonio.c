/*
 * test_jsonio: a body of 1 MiB never makes a tree larger than the bound, and what is ordinary fits.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/jsonio.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define BODY_MAX (1024u * 1024u)

static struct jsonio_refusal refusal;
static size_t taken; /* bytes that the last tree took */

static size_t in_use(void)
{
    struct mallinfo2 now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

/* Parses `count` times the value as one array. */
static enum fault parse_many(const char *value, size_t count)
{
    size_t each = strlen(value), length = 1;
    char *text = malloc(count * (each + 1) + 1);
    assert_non_null(text);
    text[0] = '[';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + length, value, each);
        length += each;
        text[length++] = ',';
    }
    text[length - 1] = ']';
    struct arena *arena = arena_new(4096);
    assert_non_null(arena);
    struct json_object *tree;
    size_t before = in_use();
    enum fault fault = jsonio_parse(arena, text, length, JSCAN_REQUEST_LIMITS, &tree, &refusal);
    taken = in_use() - before;
    if (fault == FAULT_NONE)
        assert_int_equal(json_object_array_length(tree), count);
    arena_free(arena);
    free(text);
    return fault;
}

static size_t most(const char *value)
{
    return (BODY_MAX - 1) / (strlen(value) + 1);
}

static void many_empty_objects_are_refused_with_their_place(void **state)
{
    (void)state;
    for (int warm = 0; warm < 2; warm++) /* the scanner's tape has grown after the first */
        assert_int_equal(parse_many("{}", most("{}")), FAULT_MALFORMED);
    assert_string_equal(refusal.reason, "too many values");
    assert_in_range(refusal.offset, JSONIO_TREE_BYTES / 800 * 3 - 3, JSONIO_TREE_BYTES / 800 * 3 + 3);
    assert_in_range(taken, 0, 65536); /* json-c was not asked */
}

static void what_is_ordinary_fits_in_a_body(void **state)
{
    (void)state;
    static const char *const ordinary[] = {
        "{\"abcd\":{\"type\":\"string\"}}", "{\"segmentId\":\"0123456789\"}", "1", "\"\"", "[]", "[1]", "null", "-1.5e3", "true"};
    for (size_t i = 0; i < N(ordinary); i++)
        assert_int_equal(parse_many(ordinary[i], most(ordinary[i])), FAULT_NONE);
}

/* The bound is of bytes, so what is reckoned may not be less than what json-c takes. */
static void no_tree_is_larger_than_the_bound(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* the sanitizer's own allocator tells mallinfo2 nothing */
#endif
    static const char *const shapes[] = {
        "{}", "[]", "[[]]", "[{}]", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":1}", "1", "\"\"", "1.5", "null", "\"12345678\"",
        "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0,\"l\":0}",
        "{\"a\":\"\",\"b\":1.5,\"c\":[],\"d\":{}}", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"};
    for (size_t i = 0; i < N(shapes); i++) {
        if (parse_many(shapes[i], most(shapes[i])) != FAULT_NONE) /* then as many as stand before the refused one */
            assert_int_equal(parse_many(shapes[i], (refusal.offset - 1) / (strlen(shapes[i]) + 1)), FAULT_NONE);
        assert_in_range(taken, 1, JSONIO_TREE_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_empty_objects_are_refused_with_their_place),
        cmocka_unit_test(what_is_ordinary_fits_in_a_body),
        cmocka_unit_test(no_tree_is_larger_than_the_bound),
    };
    return cmocka_run_group_tests_name("jsonio", tests, NULL, NULL);
}
