/*
 * test_rowschema_random: the merged rows and events of random stores, under random projections, fit the columns that
 * their records give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/merge.h"
#include "random_record.h"
#include "row_walk.h"

#define ROUNDS 25000
#define RECORDS 6

struct store {
    struct str record[RECORDS];
    size_t count;
    struct observed *observed;
};

static void fill_store(struct store *store, bool events)
{
    store->count = (size_t)(rand() % RECORDS + 1);
    store->observed = observed_new();
    assert_non_null(store->observed);
    for (size_t i = 0; i < store->count; i++) {
        random_record(&store->record[i], events);
        observe(store->observed, store->record[i].data);
    }
}

static void check_rows_of(const struct store *profiles, const struct store *events, struct merge *merge)
{
    static struct str fields = STR_INIT(1 << 16);
    static struct str event_fields = STR_INIT(1 << 16);
    struct str out = STR_INIT(1 << 22);
    struct merge_fragment fragment[RECORDS];
    struct rowschema schema;
    struct projection projection;
    struct jscan scan = JSCAN_INIT;
    size_t count = 0;

    random_fields(&fields);
    random_fields(&event_fields);
    build(&schema, profiles->observed, events->observed, fields.data, event_fields.data);
    compile(&projection, fields.data);
    for (size_t i = 0; i < profiles->count; i++)
        if (rand() % 3 > 0)
            fragment[count++] = (struct merge_fragment){profiles->record[i].data, profiles->record[i].length};
    assert_int_equal(merge_read(merge, fragment, count, &projection), FAULT_NONE);
    assert_int_equal(merge_write(merge, &out), FAULT_NONE);
    if (!walk_profile(&schema, out.data)) {
        rowschema_write(&schema, &out);
        fail_msg("fields %s\nrow and schema %s", fields.data, out.data);
    }
    projection_free(&projection);
    compile(&projection, event_fields.data);
    for (size_t i = 0; i < events->count; i++) {
        str_reset(&out);
        assert_int_equal(
            projection_write_document(&projection, &scan, events->record[i].data, events->record[i].length, &out),
            FAULT_NONE);
        if (!walk_event(&schema, out.data)) {
            rowschema_write(&schema, &out);
            fail_msg("event fields %s\nevent and schema %s", event_fields.data, out.data);
        }
    }
    projection_free(&projection);
    jscan_free(&scan);
    rowschema_free(&schema);
    str_free(&out);
}

static void fits_every_row(void **state)
{
    struct merge *merge = merge_new();
    struct store profiles = {.count = 0};
    struct store events = {.count = 0};
    (void)state;
    assert_non_null(merge);
    srand(4);
    for (int round = 0; round < ROUNDS; round++) {
        fill_store(&profiles, false);
        fill_store(&events, true);
        check_rows_of(&profiles, &events, merge);
        observed_free(profiles.observed);
        observed_free(events.observed);
    }
    for (size_t i = 0; i < RECORDS; i++) {
        str_free(&profiles.record[i]);
        str_free(&events.record[i]);
    }
    merge_free(merge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_every_row),
    };
    return cmocka_run_group_tests_name("rowschema_random", tests, NULL, NULL);
}
