/*
 * test_client_order: the request that the options of `consignctl export create` make, alone and put into a body; and how
 * long trouble is borne.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "consignctl/client_order.c" /* the tools are no part of the archive */
#include "consignctl/client_patience.c"

/* The request of an order on a body; NULL when it does not go in. */
static const char *filled(const char *body, const struct client_order *order)
{
    static char out[1024];
    struct json_object *request = json_tokener_parse(body);
    bool good = client_order_fill(request, order);
    strncpy(out, json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN), sizeof out - 1);
    json_object_put(request);
    return good ? out : NULL;
}

#define SCHEMA "\"schema\":{\"name\":\"_xdm.context.profile\"}"

static void the_smallest_request(void **state)
{
    (void)state;
    assert_string_equal(filled("{}", &(struct client_order){.dataset = "d"}),
                        "{\"destination\":{\"datasetId\":\"d\"}," SCHEMA "}");
}

static void every_option_has_its_member(void **state)
{
    static const char *const SEGMENTS[] = {"a", "b"};
    const struct client_order order = {.dataset = "d", .fields = "x,y", .merge_policy = "m", .from = "t", .segment = SEGMENTS,
                                       .segments = 2, .per_segment = true, .events = true};
    (void)state;
    assert_string_equal(filled("{}", &order),
                        "{\"destination\":{\"datasetId\":\"d\",\"segmentPerBatch\":true},"
                        "\"filter\":{\"segments\":[{\"segmentId\":\"a\"},{\"segmentId\":\"b\"}],\"fromIngestTimestamp\":\"t\"},"
                        "\"mergePolicy\":{\"id\":\"m\"},\"additionalFields\":{\"eventList\":{}},\"fields\":\"x,y\"," SCHEMA "}");
}

static void a_body_keeps_what_options_do_not_say(void **state)
{
    const struct client_order order = {.dataset = "d", .from = "t", .events = true};
    (void)state;
    assert_string_equal(filled("{\"destination\":{\"dataSetId\":\"old\",\"segmentPerBatch\":true},\"schema\":{\"name\":\"s\"},"
                               "\"filter\":{\"emptyProfiles\":true},\"additionalFields\":{\"eventList\":{\"fields\":\"f\"}}}",
                               &order),
                        "{\"destination\":{\"segmentPerBatch\":true,\"datasetId\":\"d\"},\"schema\":{\"name\":\"s\"},"
                        "\"filter\":{\"emptyProfiles\":true,\"fromIngestTimestamp\":\"t\"},"
                        "\"additionalFields\":{\"eventList\":{\"fields\":\"f\"}}}");
}

static void what_is_no_object_takes_no_member(void **state)
{
    static const char *const SEGMENTS[] = {"a"};
    (void)state;
    assert_null(filled("{\"destination\":[]}", &(struct client_order){.dataset = "d"}));
    assert_null(filled("{\"filter\":1}", &(struct client_order){.segment = SEGMENTS, .segments = 1}));
    assert_null(filled("{\"mergePolicy\":\"m\"}", &(struct client_order){.merge_policy = "m"}));
    assert_null(filled("{\"additionalFields\":{\"eventList\":true}}", &(struct client_order){.events = true}));
}

static void patience_counts_from_the_last_good_answer(void **state)
{
    struct client_patience p;
    (void)state;
    client_patience_begin(&p, 1000, 0);
    assert_int_equal(client_patience_left(&p, 1000), CLIENT_PATIENCE_MS);
    client_patience_good(&p, 50000);
    assert_int_equal(client_patience_left(&p, 50000), CLIENT_PATIENCE_MS);
    assert_true(client_patience_left(&p, 50000 + CLIENT_PATIENCE_MS) == 0);
}

static void a_timeout_is_for_all_of_it(void **state)
{
    struct client_patience p;
    (void)state;
    client_patience_begin(&p, 1000, 5);
    client_patience_good(&p, 5000);
    assert_int_equal(client_patience_left(&p, 5000), 1000);
    assert_true(client_patience_left(&p, 7000) < 0);
}

static void pauses_grow_and_follow_the_service(void **state)
{
    struct client_patience p;
    (void)state;
    client_patience_begin(&p, 0, 0);
    assert_int_equal(client_patience_pause(&p, 0, 0, 0, 0), 250);
    assert_int_equal(client_patience_pause(&p, 0, 1, 0, 0), 500);
    assert_int_equal(client_patience_pause(&p, 0, 4, 0, 0), 4000);
    assert_int_equal(client_patience_pause(&p, 0, 99, 0, 0), 4000);
    assert_int_equal(client_patience_pause(&p, 0, 0, 0, 1000 + 7), 250 + 7);
    assert_int_equal(client_patience_pause(&p, 0, 9, 3, 0), 3000);
    assert_int_equal(client_patience_pause(&p, 0, 0, 60, 0), -1);
    assert_int_equal(client_patience_pause(&p, 0, 0, INT64_MAX, 0), -1);
    assert_int_equal(client_patience_pause(&p, CLIENT_PATIENCE_MS - 250, 0, 0, 0), -1);
    assert_int_equal(client_patience_pause(&p, CLIENT_PATIENCE_MS - 251, 0, 0, 0), 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_request),
        cmocka_unit_test(every_option_has_its_member),
        cmocka_unit_test(a_body_keeps_what_options_do_not_say),
        cmocka_unit_test(what_is_no_object_takes_no_member),
        cmocka_unit_test(patience_counts_from_the_last_good_answer),
        cmocka_unit_test(a_timeout_is_for_all_of_it),
        cmocka_unit_test(pauses_grow_and_follow_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
