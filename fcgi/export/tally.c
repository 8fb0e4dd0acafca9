/*
 * tally: counts by name. See tally.h.
 */
#include "export/tally.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. Names made to collide cost at most TALLY_NAMES comparisons a row. */
static uint32_t tally_hash(const char *name, size_t length)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)name[i]) * 16777619u;
    return h;
}

void tally_free(struct tally *t)
{
    for (size_t i = 0; i < TALLY_SLOTS; i++)
        free(t->slot[i].name);
    memset(t, 0, sizeof *t);
}

/* The name's row, or the free one where it belongs. There always is a free one. */
static struct tally_row *tally_find(struct tally *t, const char *name, size_t length)
{
    for (uint32_t at = tally_hash(name, length);; at++) {
        struct tally_row *row = &t->slot[at % TALLY_SLOTS];
        if (row->name == NULL || (row->length == length && memcmp(row->name, name, length) == 0))
            return row;
    }
}

void tally_add(struct tally *t, const char *name, size_t length)
{
    struct tally_row *row = tally_find(t, name, length);
    if (row->name == NULL && t->names < TALLY_NAMES && (row->name = malloc(length + 1)) != NULL) {
        memcpy(row->name, name, length);
        row->name[length] = '\0';
        row->length = length;
        t->names++;
    }
    if (row->name != NULL)
        row->count++;
    else
        t->other++;
}

static void tally_put(struct str *out, const char *name, size_t length, int64_t count)
{
    if (out->data[out->length - 1] != '{')
        str_append_char(out, ',');
    str_append_json(out, name, length);
    str_append_char(out, ':');
    str_append_int(out, count);
}

void tally_write(const struct tally *t, struct str *out)
{
    int64_t other = t->other;
    str_append_char(out, '{');
    for (size_t i = 0; i < TALLY_SLOTS && !out->overflow; i++) {
        const struct tally_row *row = &t->slot[i];
        if (row->name != NULL && t->other > 0 && strcmp(row->name, "other") == 0)
            other += row->count; /* a namespace of that name, and the rest: one member */
        else if (row->name != NULL)
            tally_put(out, row->name, row->length, row->count);
    }
    if (other > 0 && !out->overflow)
        tally_put(out, "other", 5, other);
    str_append_char(out, '}');
}
