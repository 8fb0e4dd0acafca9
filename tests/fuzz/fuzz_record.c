/*
 * fuzz_record: one ingested record, read as a profile record and as an event.
 *
 * The rules of profile/record.h told a second time, over a json-c tree: the record is taken exactly
 * when they say so, and the primary identity, event id and time are theirs. Whatever is taken lies
 * within its bounds and is text without U+0000, as the columns it goes into want it. Under a schema with descriptors,
 * what is taken has a body that tells the same identities without the schema.
 */
#include <stdio.h>
#include <time.h>

#include "fuzz.h"
#include "lib/clock.h"
#include "lib/jsonio.h"
#include "profile/record.h"

#define MOST_BYTES (64u * 1024u)

/* What the rules say of a record. */
struct verdict {
    bool good;
    const char *ns, *value; /* of the primary identity */
    int identities;
    const char *event_id;
};

static bool is_text(struct json_object *value, int most)
{
    int length = json_object_is_type(value, json_type_string) ? json_object_get_string_len(value) : 0;
    return length >= 1 && length <= most;
}

static bool absent_or(struct json_object *object, const char *name, enum json_type type)
{
    bool present = false;
    struct json_object *value = jsonio_member(object, name, &present);
    return !present || json_object_is_type(value, type);
}

static bool entry_good(struct json_object *entry)
{
    return json_object_is_type(entry, json_type_object) &&
           is_text(jsonio_member(entry, "id", NULL), (int)RECORD_VALUE_MAX) &&
           absent_or(entry, "primary", json_type_boolean) && absent_or(entry, "authenticatedState", json_type_string);
}

static struct verdict judge_identity(struct json_object *record)
{
    struct verdict v = {.good = true};
    int identities = 0, marked = 0;
    struct json_object *map = jsonio_member(record, "identityMap", NULL);
    if (!json_object_is_type(map, json_type_object))
        return (struct verdict){.good = false};
    json_object_object_foreach(map, ns, list)
    {
        size_t length = strlen(ns);
        v.good = v.good && length >= 1 && length <= RECORD_NAMESPACE_MAX && json_object_is_type(list, json_type_array);
        for (size_t i = 0; v.good && i < json_object_array_length(list); i++) {
            struct json_object *entry = json_object_array_get_idx(list, i);
            v.good = entry_good(entry);
            bool primary = v.good && json_object_get_boolean(jsonio_member(entry, "primary", NULL));
            identities++;
            marked += primary;
            if (v.good && (primary || marked == 0)) {
                v.ns = ns;
                v.value = jsonio_member_text(entry, "id");
            }
        }
    }
    v.good = v.good && (marked == 1 || (marked == 0 && identities == 1)) && identities <= (int)RECORD_IDENTITIES_MAX;
    v.identities = identities;
    return v;
}

/* Whether the time is the one that the text names: written out, the text begins like it. */
static bool time_is(int64_t ms, const char *text)
{
    char wanted[32];
    struct tm tm;
    time_t minute = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
    if (strchr(text, 'Z') == NULL && strchr(text, 'z') == NULL)
        return true; /* an offset: the arithmetic is test_clock's business */
    if (gmtime_r(&minute, &tm) == NULL || strlen(text) < 20)
        return false;
    snprintf(wanted, sizeof wanted, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    return strncmp(text, wanted, 10) == 0 || strncmp(text + 17, "60", 2) == 0; /* a leap second may end the day */
}

/* Absent, or an object of objects of objects. */
static bool segments_good(struct json_object *record)
{
    bool present = false, good = true;
    struct json_object *map = jsonio_member(record, "segmentMembership", &present);
    if (!present)
        return true;
    if (!json_object_is_type(map, json_type_object))
        return false;
    json_object_object_foreach(map, ns, segments)
    {
        (void)ns;
        good = good && json_object_is_type(segments, json_type_object);
        if (!good)
            break;
        json_object_object_foreach(segments, id, segment)
        {
            (void)id;
            good = good && json_object_is_type(segment, json_type_object);
        }
    }
    return good;
}

/* A profile record has no members that the rows of an export get from elsewhere. */
static bool profile_good(struct json_object *record)
{
    return !json_object_object_get_ex(record, "eventList", NULL) &&
           !json_object_object_get_ex(record, "identities", NULL) && segments_good(record);
}

static bool event_good(struct json_object *record)
{
    int64_t ms;
    struct json_object *stamp = jsonio_member(record, "timestamp", NULL);
    return is_text(jsonio_member(record, "_id", NULL), (int)RECORD_VALUE_MAX) && is_text(stamp, (int)RECORD_VALUE_MAX) &&
           clock_parse_rfc3339(json_object_get_string(stamp), strlen(json_object_get_string(stamp)), &ms);
}

static void check_text(const char *bytes, size_t length, size_t most, const char *wanted)
{
    INVARIANT(length >= 1 && length <= most && fuzz_is_text(bytes, length));
    INVARIANT(length == strlen(wanted) && memcmp(bytes, wanted, length) == 0);
}

static void check_primary(const struct record *record, const struct verdict *v)
{
    INVARIANT((int)record->identities == v->identities && record->primary < record->identities);
    const struct record_identity *one = &record->identity[record->primary];
    check_text(one->ns, one->ns_length, RECORD_NAMESPACE_MAX, v->ns);
    check_text(one->id, one->id_length, RECORD_VALUE_MAX, v->value);
}

static void check_event(const struct record *record, struct json_object *tree)
{
    const char *id = jsonio_member_text(tree, "_id"), *stamp = jsonio_member_text(tree, "timestamp");
    INVARIANT(id != NULL && stamp != NULL);
    check_text(record->event_id.bytes, record->event_id.length, RECORD_VALUE_MAX, id);
    INVARIANT(record->time_ms >= INT64_C(-62168000000000) && record->time_ms <= INT64_C(253402400000000));
    INVARIANT(time_is(record->time_ms, stamp));
}

static void check_refused(const struct record *record)
{
    static const char *const CODES[] = {"json", "size", "identity", "segment", "event_id", "timestamp", "reserved", "schema"};
    bool known = false;
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        known = known || strcmp(record->code, CODES[i]) == 0;
    INVARIANT(known && record->reason[0] != '\0');
}

static const char DOCUMENT[] =
    "{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"properties\":{\"c\":{\"type\":[\"integer\",\"string\"]},"
    "\"d\":{\"type\":\"number\"}}},\"e\":{\"type\":\"string\",\"format\":\"date\"}}}";

/* Without a primary descriptor, and with one. */
static const char *const IDENTITIES[] = {
    "[{\"property\":\"/a\",\"namespace\":\"A\"},{\"property\":\"/b/c\",\"namespace\":\"A\"},{\"property\":\"/b/d\",\"namespace\":\"D\"}]",
    "[{\"property\":\"/a\",\"namespace\":\"A\",\"primary\":true},{\"property\":\"/b/c\",\"namespace\":\"C\"}]"};

static bool same_identity(const struct record_identity *a, const struct record_identity *b)
{
    return a->ns_length == b->ns_length && a->id_length == b->id_length && memcmp(a->ns, b->ns, a->ns_length) == 0 &&
           memcmp(a->id, b->id, a->id_length) == 0;
}

/* The body, read without the schema, tells the same identities and the same primary one. */
static void check_body(const struct record *record)
{
    static struct record plain = {.most_bytes = MOST_BYTES};
    INVARIANT(record->body_length <= MOST_BYTES && fuzz_is_json(record->body, record->body_length, (int)RECORD_DEPTH));
    INVARIANT(record->scan.text == record->body);
    plain.event = record->event;
    INVARIANT(record_read(&plain, record->body, record->body_length));
    INVARIANT(plain.identities == record->identities);
    INVARIANT(same_identity(&plain.identity[plain.primary], &record->identity[record->primary]));
    for (uint32_t i = 0; i < record->identities; i++) {
        uint32_t k = 0;
        while (k < plain.identities && !same_identity(&plain.identity[k], &record->identity[i]))
            k++;
        INVARIANT(k < plain.identities);
    }
    INVARIANT(plain.event_id.length == record->event_id.length && plain.time_ms == record->time_ms);
}

/* The record under a schema with descriptors. `good`: a base schema takes it. */
static void check_with_schema(const char *text, size_t size, bool event, bool good)
{
    static struct record record = {.most_bytes = MOST_BYTES};
    static struct arena *arena[2];
    static const struct schema *schema[2];
    record.event = event;
    for (size_t i = 0; i < 2; i++) {
        struct spec_refusal refusal;
        if (arena[i] == NULL) {
            arena[i] = arena_new(SCHEMA_ARENA_BYTES);
            INVARIANT(schema_read(arena[i], DOCUMENT, sizeof DOCUMENT - 1, IDENTITIES[i], &schema[i], &refusal) ==
                      FAULT_NONE);
        }
        record.schema = schema[i];
        if (!record_read(&record, text, size)) {
            check_refused(&record);
            continue;
        }
        check_body(&record);
            /* what stays as it is tells all by itself */
        INVARIANT(record.body != text || good);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record record = {.most_bytes = MOST_BYTES}; /* used again, as in a loader */
    static struct arena *arena;
    const struct jscan_limits limits = {.depth = RECORD_DEPTH, .bytes = MOST_BYTES};
    struct json_object *tree = NULL;
    struct jsonio_refusal refusal;
    const char *text = (const char *)data;
    if (arena == NULL)
        arena = arena_new(1u << 20);
    arena_reset(arena);
    struct verdict v = {.good = false};
    if (jsonio_parse(arena, text, size, limits, &tree, &refusal) == FAULT_NONE &&
        json_object_is_type(tree, json_type_object))
        v = judge_identity(tree);
    for (int event = 0; event < 2; event++) {
        record.event = event != 0;
        bool taken = record_read(&record, text, size);
        INVARIANT(taken == (v.good && (record.event ? event_good(tree) : profile_good(tree))));
        if (taken) {
            check_primary(&record, &v);
            INVARIANT(record.body == text && record.body_length == size);
            if (record.event)
                check_event(&record, tree);
        } else {
            check_refused(&record);
        }
        check_with_schema(text, size, record.event, taken);
    }
    arena_reset(arena);
    return 0;
}
