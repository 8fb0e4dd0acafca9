/*
 * fuzz_record: one ingested record, read as a profile record and as an event.
 *
 * The rules of profile/record.h told a second time, over a json-c tree: the record is taken exactly
 * when they say so, and the primary identity, event id and time are theirs. Whatever is taken lies
 * within its bounds and is text without U+0000, as the columns it goes into want it.
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

static void check_text(const struct record_text *text, size_t most, const char *wanted)
{
    INVARIANT(text->length >= 1 && text->length <= most && fuzz_is_text(text->bytes, text->length));
    INVARIANT(text->length == strlen(wanted) && memcmp(text->bytes, wanted, text->length) == 0);
}

static void check_event(const struct record *record, struct json_object *tree)
{
    const char *id = jsonio_member_text(tree, "_id"), *stamp = jsonio_member_text(tree, "timestamp");
    INVARIANT(id != NULL && stamp != NULL);
    check_text(&record->event_id, RECORD_VALUE_MAX, id);
    INVARIANT(record->time_ms >= INT64_C(-62168000000000) && record->time_ms <= INT64_C(253402400000000));
    INVARIANT(time_is(record->time_ms, stamp));
}

static void check_refused(const struct record *record)
{
    static const char *const CODES[] = {"json", "size", "identity", "segment", "event_id", "timestamp", "reserved"};
    bool known = false;
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        known = known || strcmp(record->code, CODES[i]) == 0;
    INVARIANT(known && record->reason[0] != '\0');
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
    bool taken = record_read(&record, text, size, false);
    INVARIANT(taken == (v.good && profile_good(tree)));
    if (taken) {
        check_text(&record.ns, RECORD_NAMESPACE_MAX, v.ns);
        check_text(&record.value, RECORD_VALUE_MAX, v.value);
        INVARIANT((int)record.identities == v.identities && record.primary < record.identities);
    } else {
        check_refused(&record);
    }
    bool event = record_read(&record, text, size, true);
    INVARIANT(event == (v.good && event_good(tree)));
    if (event) {
        check_text(&record.ns, RECORD_NAMESPACE_MAX, v.ns);
        check_text(&record.value, RECORD_VALUE_MAX, v.value);
        check_event(&record, tree);
    } else {
        check_refused(&record);
    }
    arena_reset(arena);
    return 0;
}
