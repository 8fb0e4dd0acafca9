/*
 * record, with a schema: what its descriptors make identities, and the body that is stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/record.h"

#define MOST_BYTES (64u * 1024u)

#define DOCUMENT                                                                                                       \
    "{\"properties\":{\"email\":{\"type\":\"string\"},\"_t\":{\"properties\":{\"crm\":{\"type\":[\"string\",\"integer\"]},"     \
    "\"n\":{\"type\":\"number\"}}}}}"
#define CRM(primary) "{\"property\":\"/_t/crm\",\"namespace\":\"CRM\",\"primary\":" primary "}"
#define EMAIL "{\"property\":\"/email\",\"namespace\":\"Email\"}"
#define NUMBER "{\"property\":\"/_t/n\",\"namespace\":\"N\"}"

static struct record record;
static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    record = RECORD_INIT(MOST_BYTES);
    arena = arena_new(SCHEMA_ARENA_BYTES);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    record_free(&record);
    arena_free(arena);
    return 0;
}

static void use(const char *identities)
{
    struct spec_refusal refusal;
    assert_int_equal(schema_read(arena, DOCUMENT, strlen(DOCUMENT), identities, &record.schema, &refusal), FAULT_NONE);
}

static void reads(const char *text)
{
    if (!record_read(&record, text, strlen(text)))
        fail_msg("%s: %s", text, record.reason);
}

static void refuses(const char *text, const char *code, const char *reason)
{
    assert_false(record_read(&record, text, strlen(text)));
    assert_string_equal(record.code, code);
    assert_string_equal(record.reason, reason);
}

static void assert_identity(uint32_t i, const char *ns, const char *id)
{
    const struct record_identity *one = &record.identity[i];
    assert_int_equal(one->ns_length, strlen(ns));
    assert_memory_equal(one->ns, ns, one->ns_length);
    assert_int_equal(one->id_length, strlen(id));
    assert_memory_equal(one->id, id, one->id_length);
}

/* The record is stored as this text, and the tape is that of the text. */
static void assert_body(const char *wanted)
{
    char body[4096];
    assert_true(record.body_length < sizeof body);
    memcpy(body, record.body, record.body_length);
    body[record.body_length] = '\0';
    assert_string_equal(body, wanted);
    assert_ptr_equal(record.scan.text, record.body);
}

static void a_record_that_tells_all_keeps_its_bytes(void **state)
{
    (void)state;
    static const char *TEXTS[] = {
        "{ \"identityMap\": {\"CRM\": [{\"id\":\"a\"}]} }",
        "{\"identityMap\":{\"CRM\":[{\"id\":\"a\",\"primary\":true}]},\"_t\":{\"crm\":\"\\u0061\"}}",
        "{\"identityMap\":{\"X\":[{\"id\":\"x\",\"primary\":true}],\"CRM\":[{\"id\":\"5\"}]},\"_t\":{\"crm\":5}}",
        "{\"identityMap\":{\"CRM\":[{\"id\":\"a\"}]},\"_t\":{\"crm\":null},\"email\":null}",
    };
    use("[" CRM("false") "," EMAIL "]");
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        reads(TEXTS[i]);
        assert_ptr_equal(record.body, TEXTS[i]);
        assert_int_equal(record.body_length, strlen(TEXTS[i]));
    }
    assert_int_equal(record.identities, 1);
}

static void a_record_without_map_gets_one(void **state)
{
    (void)state;
    use("[" CRM("true") "," EMAIL "]");
    reads(" {\"_t\":{\"crm\":\"a\\u0022b\"},\"email\":\"e@x\"} ");
    assert_int_equal(record.identities, 2);
    assert_identity(record.primary, "CRM", "a\"b");
    assert_identity(1, "Email", "e@x");
    assert_body("{\"_t\":{\"crm\":\"a\\u0022b\"},\"email\":\"e@x\",\"identityMap\":{\"CRM\":[{\"id\":\"a\\\"b\",\"primary\":true}],"
                "\"Email\":[{\"id\":\"e@x\"}]}}");
    reads("{\"identityMap\":null,\"_t\":{\"crm\":\"a\"}}");
    assert_body("{\"identityMap\":{\"CRM\":[{\"id\":\"a\",\"primary\":true}]},\"_t\":{\"crm\":\"a\"}}");
    reads("{\"x\":1,\"identityMap\":{},\"_t\":{\"crm\":\"a\"}}");
    assert_body("{\"x\":1,\"identityMap\":{\"CRM\":[{\"id\":\"a\",\"primary\":true}]},\"_t\":{\"crm\":\"a\"}}");
}

static void a_map_keeps_its_entries_and_gets_what_it_lacks(void **state)
{
    (void)state;
    use("[" CRM("false") "," EMAIL "]");
    reads("{\"identityMap\":{\"Em\\u0061il\":[{\"id\":\"x\", \"k\":[1]}, {\"primary\":true,\"id\":\"y\"}],\"CRM\":[]},"
          "\"_t\":{\"crm\":7},\"email\":\"z\"}");
    assert_int_equal(record.identities, 4);
    assert_identity(record.primary, "Email", "y");
    assert_body("{\"identityMap\":{\"Em\\u0061il\":[{\"id\":\"x\", \"k\":[1]},{\"primary\":true,\"id\":\"y\"},{\"id\":\"z\"}],"
                "\"CRM\":[{\"id\":\"7\"}]},\"_t\":{\"crm\":7},\"email\":\"z\"}");
    reads("{\"identityMap\":{\"X\":[{\"id\":\"x\"}]},\"email\":\"z\"}");
    assert_identity(record.primary, "X", "x"); /* the only one of the map, as ever */
    assert_body("{\"identityMap\":{\"X\":[{\"id\":\"x\",\"primary\":true}],\"Email\":[{\"id\":\"z\"}]},\"email\":\"z\"}");
}

static void the_descriptor_names_the_primary_identity(void **state)
{
    (void)state;
    use("[" CRM("true") "," EMAIL "]");
    reads("{\"identityMap\":{\"CRM\":[{\"id\":\"o\",\"primary\":true},{\"id\":\"c\",\"primary\":false},{\"id\":\"n\"}]},\"_t\":{\"crm\":\"c\"}}");
    assert_identity(record.primary, "CRM", "c");
    assert_body("{\"identityMap\":{\"CRM\":[{\"id\":\"o\",\"primary\":false},{\"id\":\"c\",\"primary\":true},{\"id\":\"n\"}]},"
                "\"_t\":{\"crm\":\"c\"}}");
    reads("{\"identityMap\":{\"CRM\":[{\"id\":\"a\"},{\"id\":\"c\" }]},\"_t\":{\"crm\":\"c\"}}");
    assert_body("{\"identityMap\":{\"CRM\":[{\"id\":\"a\"},{\"id\":\"c\" ,\"primary\":true}]},\"_t\":{\"crm\":\"c\"}}");
    /* its member is absent */
    reads("{\"identityMap\":{\"X\":[{\"id\":\"x\",\"primary\":true}]},\"email\":\"e\"}");
    assert_identity(record.primary, "X", "x");
    refuses("{\"identityMap\":{\"X\":[{\"id\":\"x\"}]}}", "identity", "no primary identity");
    refuses("{\"email\":\"e\"}", "identity", "no primary identity");
}

static void without_a_primary_descriptor_the_only_identity_is_it(void **state)
{
    (void)state;
    use("[" CRM("false") "," EMAIL "]");
    reads("{\"email\":\"e\"}");
    assert_identity(record.primary, "Email", "e");
    assert_body("{\"email\":\"e\",\"identityMap\":{\"Email\":[{\"id\":\"e\",\"primary\":true}]}}");
    refuses("{\"email\":\"e\",\"_t\":{\"crm\":\"c\"}}", "identity", "no primary identity");
    refuses("{\"identityMap\":{\"X\":[{\"id\":\"x\"},{\"id\":\"y\"}]},\"email\":\"e\"}", "identity", "no primary identity");
    refuses("{\"x\":5}", "identity", "no identity, neither in identityMap nor in a member of a descriptor");
    refuses("{\"identityMap\":{}}", "identity", "no identity, neither in identityMap nor in a member of a descriptor");
    refuses("{\"identityMap\":[],\"email\":\"e\"}", "identity", "identityMap is not an object");
}

static void two_members_with_one_identity_make_one(void **state)
{
    (void)state;
    use("[" EMAIL ",{\"property\":\"/_t/crm\",\"namespace\":\"Email\"}]");
    reads("{\"email\":\"e\",\"_t\":{\"crm\":\"e\"}}");
    assert_int_equal(record.identities, 1);
    assert_body("{\"email\":\"e\",\"_t\":{\"crm\":\"e\"},\"identityMap\":{\"Email\":[{\"id\":\"e\",\"primary\":true}]}}");
}

static void numbers_are_identities_by_their_decimal_text(void **state)
{
    (void)state;
    static const char *GOOD[][2] = {{"1e3", "1000"},  {"12.0", "12"}, {"-0", "0"}, {"1.50", "1.5"}, {"9007199254740992.0", "9007199254740992"},
                                    {"0.00001", "0.00001"}, {"0.12345678901234567", "0.12345678901234567"}};
    static const char *BAD[] = {"9007199254740993.0", "-9.1e15", "1e300", "0.123456789012345678", "1e-80"};
    char text[256];
    use("[" NUMBER "]");
    for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        snprintf(text, sizeof text, "{\"_t\":{\"n\":%s}}", GOOD[i][0]);
        reads(text);
        assert_identity(0, "N", GOOD[i][1]);
    }
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        snprintf(text, sizeof text, "{\"_t\":{\"n\":%s}}", BAD[i]);
        refuses(text, "identity", "/_t/n is no number for an identity");
    }
    reads("{\"identityMap\":{\"N\":[{\"id\":\"1000\"}]},\"_t\":{\"n\":1e3}}");
    assert_int_equal(record.identities, 1);
}

static void bad_members_are_refused(void **state)
{
    (void)state;
    use("[" CRM("true") "," EMAIL "]");
    refuses("{\"_t\":{\"crm\":[]}}", "identity", "/_t/crm must be a string or a number: it is an identity");
    refuses("{\"_t\":{\"crm\":true}}", "identity", "/_t/crm must be a string or a number: it is an identity");
    refuses("{\"_t\":{\"crm\":\"\"}}", "identity", "/_t/crm must have 1 to 1024 bytes: it is an identity");
    refuses("{\"_t\":{\"crm\":5.5}}", "schema", "/_t/crm must be an integer");
    refuses("{\"_t\":{\"crm\":\"c\"},\"email\":5}", "schema", "/email must be a string");
    refuses("{\"_t\":5}", "identity", "no identity, neither in identityMap nor in a member of a descriptor");
}

static void a_schema_without_identities_needs_a_map(void **state)
{
    (void)state;
    use(NULL);
    refuses("{\"email\":\"e\"}", "identity", "no identityMap");
    refuses("{\"identityMap\":null}", "identity", "identityMap is not an object");
    refuses("{\"identityMap\":{\"X\":[{\"id\":\"x\"}]},\"email\":5}", "schema", "/email must be a string");
    reads("{\"identityMap\":{\"X\":[{\"id\":\"x\"}]},\"email\":\"e\"}");
    assert_int_equal(record.identities, 1);
}

static void a_body_that_grows_too_long_is_refused(void **state)
{
    (void)state;
    static char text[MOST_BYTES + 1];
    use("[" EMAIL "]");
    memset(text, ' ', MOST_BYTES);
    memcpy(text, "{\"email\":\"e\"", 12);
    text[MOST_BYTES - 1] = '}';
    assert_false(record_read(&record, text, MOST_BYTES));
    assert_string_equal(record.code, "size");
    text[MOST_BYTES - 61] = '}';
    assert_true(record_read(&record, text, MOST_BYTES - 60));
    assert_true(record.body_length <= MOST_BYTES);
}

static void events_follow_their_schema_too(void **state)
{
    (void)state;
    use("[" NUMBER "]");
    record.event = true;
    reads("{\"_id\":\"e\\u0031\",\"timestamp\":\"2024-01-01T00:00:00Z\",\"_t\":{\"n\":77}}");
    assert_identity(record.primary, "N", "77");
    assert_int_equal(record.event_id.length, 2);
    assert_memory_equal(record.event_id.bytes, "e1", 2);
    refuses("{\"_id\":\"e\",\"timestamp\":\"now\",\"_t\":{\"n\":77}}", "timestamp", "timestamp is not an RFC 3339 date-time");
}

/* Texts that were unescaped stay where they are while the record is read. */
static void many_escaped_identities_keep_their_texts(void **state)
{
    (void)state;
    static char text[MOST_BYTES];
    use("[" CRM("false") "," NUMBER "," EMAIL "]");
    for (unsigned count = 1; count < 900; count = count * 3 + 1) {
        size_t n = (size_t)snprintf(text, sizeof text, "{\"identityMap\":{\"\\u004e\":[");
        for (unsigned i = 0; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s{\"id\":\"\\u0078%u\"}", i == 0 ? "" : ",", i);
        snprintf(text + n, sizeof text - n, ",{\"id\":\"p\",\"primary\":true}]},\"_t\":{\"crm\":\"\\u0063\",\"n\":5e0},\"email\":\"\\u0065\"}");
        reads(text);
        assert_int_equal(record.identities, count + 4);
        for (unsigned i = 0; i < count; i++) {
            char id[16];
            snprintf(id, sizeof id, "x%u", i);
            assert_identity(i, "N", id);
        }
        assert_identity(record.primary, "N", "p");
        assert_identity(count + 1, "CRM", "c");
        assert_identity(count + 2, "N", "5"); /* in the order of the descriptors */
        assert_identity(count + 3, "Email", "e");
        record.schema = NULL; /* the body tells the same without its schema */
        static char body[MOST_BYTES];
        size_t length = record.body_length;
        memcpy(body, record.body, length);
        assert_true(record_read(&record, body, length));
        assert_int_equal(record.identities, count + 4);
        assert_identity(record.primary, "N", "p");
        use("[" CRM("false") "," NUMBER "," EMAIL "]");
    }
}

/* As many bytes of escaped texts as a record can have. */
static void long_escaped_identities_keep_their_texts(void **state)
{
    (void)state;
    static char text[MOST_BYTES];
    use("[" EMAIL "]");
    size_t n = (size_t)snprintf(text, sizeof text, "{\"email\":\"e\",\"identityMap\":{");
    for (unsigned i = 0; i < 60; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"n%u\":[{\"id\":\"%u\\\"%0900u\"}]", i == 0 ? "" : ",", i, i, i);
    snprintf(text + n, sizeof text - n, ",\"Email\":[{\"id\":\"\\u0065\",\"primary\":true}]}}");
    reads(text);
    assert_int_equal(record.identities, 61);
    for (unsigned i = 0; i < 60; i++) {
        char ns[8], id[1024];
        snprintf(ns, sizeof ns, "n%u", i);
        snprintf(id, sizeof id, "%u\"%0900u", i, i);
        assert_identity(i, ns, id);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_record_that_tells_all_keeps_its_bytes),
        CASE(a_record_without_map_gets_one),
        CASE(a_map_keeps_its_entries_and_gets_what_it_lacks),
        CASE(the_descriptor_names_the_primary_identity),
        CASE(without_a_primary_descriptor_the_only_identity_is_it),
        CASE(two_members_with_one_identity_make_one),
        CASE(numbers_are_identities_by_their_decimal_text),
        CASE(bad_members_are_refused),
        CASE(a_schema_without_identities_needs_a_map),
        CASE(a_body_that_grows_too_long_is_refused),
        CASE(events_follow_their_schema_too),
        CASE(many_escaped_identities_keep_their_texts),
        CASE(long_escaped_identities_keep_their_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
