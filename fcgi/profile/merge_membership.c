/*
 * merge_membership: looking into the united segmentMembership of a profile.
 *
 * Nothing is united for it: an entry's member is that of the strongest fragment that has it. The first question
 * about a profile makes a hash table of its segments, each with its entries of all fragments, strongest first:
 * a job may ask 1000 questions about a profile that is in 1000 segments.
 */
#include <stdlib.h>
#include <string.h>

#include "core/spec.h"
#include "profile/merge_internal.h"
#include "lib/clock.h"
#include "lib/jscan_name.h"

#define KEEP_ENTRIES 4096u
#define FIRST_ENTRIES 32u
#define NO_ENTRY UINT32_MAX
#define TIME_BYTES 512u /* of a date-time written with escapes; a longer one is none */

/* One fragment's entry of one segment; its value stands behind its id. */
struct entry {
    uint32_t hash; /* of namespace and id */
    uint32_t ns;   /* tape nodes of the names */
    uint32_t id;
    uint32_t weaker;  /* the next entry of the segment, or NO_ENTRY */
    uint32_t weakest; /* in the first of a segment: its last */
    uint16_t fragment;
    bool follows; /* not the first of its segment */
};

struct merge_index {
    bool ready;
    uint32_t entries;
    uint32_t capacity;
    uint32_t slots; /* a power of two, at least twice the capacity */
    struct entry *entry;
    uint32_t *table; /* index of a segment's first entry + 1, or 0 */
};

/* What is known of one segment while its entries are asked, strongest first. */
struct answer {
    const struct merge_membership *wanted;
    bool status_known;
    bool status_fits;
    bool time_known;
    bool time_fits;
};

struct merge_index *merge_index_new(void)
{
    return calloc(1, sizeof(struct merge_index));
}

static void index_drop(struct merge_index *index)
{
    free(index->entry);
    free(index->table);
    *index = (struct merge_index){.ready = false};
}

void merge_index_free(struct merge_index *index)
{
    if (index == NULL)
        return;
    index_drop(index);
    free(index);
}

void merge_index_reset(struct merge_index *index)
{
    if (index->capacity > KEEP_ENTRIES)
        index_drop(index);
    index->ready = false;
}

bool merge_index_reserve(struct merge_index *index, uint32_t entries)
{
    if (entries <= index->capacity)
        return true;
    uint32_t capacity = FIRST_ENTRIES;
    while (capacity < entries)
        capacity *= 2;
    index_drop(index);
    index->entry = malloc(capacity * sizeof *index->entry);
    index->table = malloc((size_t)capacity * 2 * sizeof *index->table);
    if (index->entry == NULL || index->table == NULL) {
        index_drop(index);
        return false;
    }
    index->capacity = capacity;
    index->slots = capacity * 2;
    return true;
}

void merge_survey_membership(struct merge *m, uint32_t fragment)
{
    const struct jscan *scan = &m->scan[fragment];
    uint32_t map = m->maps[fragment].membership;
    uint32_t ns = map + 1;

    if (map == 0)
        return;
    for (uint32_t i = 0; i < scan->node[map].count; i++) {
        const struct jscan_node *segments = &scan->node[ns + 1];
        if (segments->type != JSCAN_OBJECT)
            m->membership_broken = true;
        uint32_t id = ns + 2;
        for (uint32_t n = 0; segments->type == JSCAN_OBJECT && n < segments->count; n++) {
            if (scan->node[id + 1].type != JSCAN_OBJECT)
                m->membership_broken = true;
            m->memberships++;
            id = scan->node[id + 1].next;
        }
        ns = segments->next;
    }
}

/* --- one entry ------------------------------------------------------------------------------- */

static unsigned status_of(const struct jscan *scan, uint32_t value)
{
    if (jscan_string_equals(scan, value, "realized", strlen("realized")))
        return SPEC_REALIZED;
    if (jscan_string_equals(scan, value, "existing", strlen("existing")))
        return SPEC_EXISTING;
    return jscan_string_equals(scan, value, "exited", strlen("exited")) ? SPEC_EXITED : 0;
}

static bool read_time(const struct jscan *scan, uint32_t value, int64_t *ms)
{
    const struct jscan_node *node = &scan->node[value];
    char plain[TIME_BYTES];
    size_t length = node->end - node->begin;

    if (node->type != JSCAN_STRING)
        return false;
    if (node->escaped == 0)
        return clock_parse_rfc3339(scan->text + node->begin, length, ms);
    return length <= sizeof plain && clock_parse_rfc3339(plain, jscan_string_copy(scan, value, plain), ms);
}

/* Whether any time will do, a missing one too. */
static bool is_timeless(const struct merge_membership *wanted)
{
    return wanted->from_ms == INT64_MIN && wanted->to_ms == INT64_MAX;
}

static struct answer answer_open(const struct merge_membership *wanted)
{
    bool timeless = is_timeless(wanted);
    return (struct answer){.wanted = wanted, .time_known = timeless, .time_fits = timeless};
}

/* Takes what the entry says of what is not yet known. */
static void answer_ask(struct answer *answer, const struct jscan *scan, uint32_t entry)
{
    uint32_t status = answer->status_known ? 0 : jscan_member(scan, entry, "status");
    uint32_t time = answer->time_known ? 0 : jscan_member(scan, entry, "lastQualificationTime");
    int64_t ms;

    if (status != 0) {
        answer->status_known = true;
        answer->status_fits = (status_of(scan, status) & answer->wanted->statuses) != 0;
    }
    if (time != 0) {
        answer->time_known = true;
        answer->time_fits = read_time(scan, time, &ms) && ms >= answer->wanted->from_ms && ms <= answer->wanted->to_ms;
    }
}

/* --- the index ------------------------------------------------------------------------------- */

static uint64_t hash_plain(const struct merge *m, const char *name)
{
    struct siphash hash;
    siphash_begin(&hash, &m->key);
    siphash_add(&hash, name, strlen(name));
    return siphash_end(&hash);
}

static uint32_t hash_pair(uint64_t ns, uint64_t id)
{
    return (uint32_t)(((ns << 17 | ns >> 47) ^ id) >> 32);
}

static bool same_segment(const struct merge *m, const struct entry *a, const struct entry *b)
{
    const struct jscan *x = &m->scan[a->fragment];
    const struct jscan *y = &m->scan[b->fragment];
    return a->hash == b->hash && jscan_strings_equal(x, a->id, y, b->id) && jscan_strings_equal(x, a->ns, y, b->ns);
}

/* Appends the entry to those of its segment. */
static void index_add(const struct merge *m, const struct entry *one)
{
    struct merge_index *index = m->index;
    uint32_t at = one->hash & (index->slots - 1);
    uint32_t self = index->entries++;
    struct entry *entry = &index->entry[self];

    *entry = *one;
    entry->weaker = NO_ENTRY;
    entry->weakest = self;
    while (index->table[at] != 0) {
        struct entry *first = &index->entry[index->table[at] - 1];
        if (same_segment(m, first, entry)) {
            entry->follows = true;
            index->entry[first->weakest].weaker = self;
            first->weakest = self;
            return;
        }
        at = (at + 1) & (index->slots - 1);
    }
    index->table[at] = self + 1;
}

static void index_add_fragment(const struct merge *m, uint32_t fragment)
{
    const struct jscan *scan = &m->scan[fragment];
    uint32_t map = m->maps[fragment].membership;
    struct entry one = {.fragment = (uint16_t)fragment, .ns = map + 1};

    for (uint32_t i = 0; map != 0 && i < scan->node[map].count; i++) {
        const struct jscan_node *segments = &scan->node[one.ns + 1];
        uint64_t ns_hash = jscan_string_hash(scan, one.ns, &m->key);
        one.id = one.ns + 2;
        for (uint32_t n = 0; segments->type == JSCAN_OBJECT && n < segments->count; n++) {
            one.hash = hash_pair(ns_hash, jscan_string_hash(scan, one.id, &m->key));
            if (scan->node[one.id + 1].type == JSCAN_OBJECT)
                index_add(m, &one);
            one.id = scan->node[one.id + 1].next;
        }
        one.ns = segments->next;
    }
}

static void index_make(const struct merge *m)
{
    struct merge_index *index = m->index;
    memset(index->table, 0, index->slots * sizeof *index->table);
    index->entries = 0;
    for (uint32_t i = m->count; i > 0; i--)
        index_add_fragment(m, i - 1);
    index->ready = true;
}

/* Whether the segment of this first entry fits. */
static bool segment_fits(const struct merge *m, uint32_t first, const struct merge_membership *wanted)
{
    struct answer answer = answer_open(wanted);
    for (uint32_t i = first; i != NO_ENTRY; i = m->index->entry[i].weaker) {
        const struct entry *entry = &m->index->entry[i];
        answer_ask(&answer, &m->scan[entry->fragment], entry->id + 1);
        if (answer.status_known && answer.time_known)
            break;
    }
    return answer.status_fits && answer.time_fits;
}

/* The first entry of the wanted segment, or NO_ENTRY. */
static uint32_t index_find(const struct merge *m, const struct merge_membership *wanted)
{
    const struct merge_index *index = m->index;
    uint32_t hash = hash_pair(hash_plain(m, wanted->ns), hash_plain(m, wanted->id));
    uint32_t at = hash & (index->slots - 1);

    for (; index->table[at] != 0; at = (at + 1) & (index->slots - 1)) {
        const struct entry *first = &index->entry[index->table[at] - 1];
        const struct jscan *scan = &m->scan[first->fragment];
        if (first->hash == hash && jscan_string_equals(scan, first->id, wanted->id, strlen(wanted->id)) &&
            jscan_string_equals(scan, first->ns, wanted->ns, strlen(wanted->ns)))
            return index->table[at] - 1;
    }
    return NO_ENTRY;
}

bool merge_has_membership(const struct merge *m, const struct merge_membership *wanted)
{
    if (m->memberships == 0)
        return false;
    if (!m->index->ready)
        index_make(m);
    if (wanted->ns != NULL) {
        uint32_t first = index_find(m, wanted);
        return first != NO_ENTRY && segment_fits(m, first, wanted);
    }
    for (uint32_t i = 0; i < m->index->entries; i++)
        if (!m->index->entry[i].follows && segment_fits(m, i, wanted))
            return true;
    return false;
}
