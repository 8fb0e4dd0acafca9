/*
 * random_record: random records and projections of few names, so that they meet often.
 *
 * Members of every type at every place, arrays of mixed elements and of arrays, maps, names with escapes; now and
 * then an object wider than an observed schema or a row schema takes. Included by test_rowschema_random only.
 */
#ifndef CONSIGN_TESTS_RANDOM_RECORD_H
#define CONSIGN_TESTS_RANDOM_RECORD_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/str.h"

#define RANDOM_DEPTH 3

/* Each as it is written, with an escape or without. */
static const char *const random_names[][2] = {{"a", "\\u0061"}, {"b", "b"},           {"c", "\\u0063"},
                                              {"d", "d"},       {"ups", "u\\u0070s"}, {"id", "id"}};
#define RANDOM_NAMES (int)(sizeof random_names / sizeof random_names[0])

static void random_value(struct str *text, int depth);

static void random_scalar(struct str *text)
{
    static const char *const scalar[] = {"null",
                                         "true",
                                         "false",
                                         "5",
                                         "-9007199254740991",
                                         "2.5",
                                         "1e300",
                                         "\"x\"",
                                         "\"\"",
                                         "\"2024-01-01T00:00:00Z\"",
                                         "\"2024-01-01T00:00:00.5\\u002b01:00\"",
                                         "\"2024-01-01T00:00:00.1234Z\""};
    int types = (int)(sizeof scalar / sizeof scalar[0]);
    str_append_text(text, scalar[rand() % 4 > 0 ? 3 : rand() % types]);
}

static void random_object(struct str *text, int depth)
{
    bool any = false;
    str_append_char(text, '{');
    for (int i = 0; i < RANDOM_NAMES; i++) {
        if (rand() % 5 > 1)
            continue;
        str_printf(text, "%s\"%s\":", any ? "," : "", random_names[i][rand() % 8 == 0]);
        random_value(text, depth - 1);
        any = true;
    }
    if (rand() % 20000 == 0)
        for (int i = 0; i < 501; i++)
            str_printf(text, "%s\"wide%d\":%d", any || i > 0 ? "," : "", i, i);
    str_append_char(text, '}');
}

static void random_array(struct str *text, int depth)
{
    int count = rand() % 4;
    int kind = rand() % 4; /* mostly elements of one kind */
    str_append_char(text, '[');
    for (int i = 0; i < count; i++) {
        str_append_text(text, i == 0 ? "" : ",");
        if (kind == 0)
            random_value(text, depth - 1);
        else if (kind == 1)
            random_array(text, depth > 0 ? depth - 1 : 0);
        else
            random_object(text, depth > 0 ? depth - 1 : 0);
    }
    str_append_char(text, ']');
}

static void random_value(struct str *text, int depth)
{
    int kind = rand() % 20;
    if (depth <= 0 || kind < 5)
        random_scalar(text);
    else if (kind < 9)
        random_array(text, depth - 1);
    else
        random_object(text, depth);
}

/* A map of maps: segmentMembership, mostly of the right form. */
static void random_membership(struct str *text)
{
    str_append_text(text, ",\"segmentMembership\":");
    if (rand() % 10 == 0) {
        random_value(text, 2);
        return;
    }
    str_append_char(text, '{');
    for (int ns = 0; ns < rand() % 3; ns++) {
        str_printf(text, "%s\"%s\":{", ns == 0 ? "" : ",", random_names[4 - ns][0]);
        for (int id = 0; id < rand() % 3; id++) {
            str_printf(text, "%s\"%s\":", id == 0 ? "" : ",", random_names[id][0]);
            if (rand() % 10 == 0)
                random_value(text, 1);
            else
                random_object(text, 2);
        }
        str_append_char(text, '}');
    }
    str_append_char(text, '}');
}

static void random_identities(struct str *text)
{
    str_append_text(text, ",\"identityMap\":{");
    for (int ns = 0; ns < rand() % 3; ns++) {
        str_printf(text, "%s\"%s\":[", ns == 0 ? "" : ",", random_names[4 - ns][0]);
        for (int i = 0; i < rand() % 3; i++) {
            str_printf(text, "%s{\"id\":\"%d\"", i == 0 ? "" : ",", rand() % 3);
            if (rand() % 2 == 0)
                str_append_text(text, rand() % 9 == 0 ? ",\"primary\":1" : ",\"primary\":true");
            if (rand() % 3 == 0) {
                str_append_text(text, ",\"a\":");
                random_value(text, 2);
            }
            str_append_char(text, '}');
        }
        str_append_char(text, ']');
    }
    str_append_char(text, '}');
}

/* Groups of groups whose leaves are too many for a row. */
static void random_wide(struct str *text)
{
    for (int i = 0; i < 60; i++) {
        str_printf(text, ",\"wide%d\":{\"a\":[{", i);
        for (int n = 0; n < 20 + rand() % 10; n++)
            str_printf(text, "%s\"n%d\":%d", n == 0 ? "" : ",", n, n);
        str_append_text(text, "}],\"b\":");
        random_value(text, 2);
        str_append_char(text, '}');
    }
}

static void random_record(struct str *text, bool event)
{
    if (text->bound == 0)
        *text = STR_INIT(1 << 22);
    str_reset(text);
    str_append_text(text, event ? "{\"_id\":\"1\"" : "{\"_x\":{}");
    for (int i = 0; i < RANDOM_NAMES; i++) {
        if (rand() % 2 == 0)
            continue;
        str_printf(text, ",\"%s\":", random_names[i][rand() % 8 == 0]);
        random_value(text, RANDOM_DEPTH);
    }
    if (rand() % 3 > 0)
        random_identities(text);
    if (rand() % 2 == 0)
        random_membership(text);
    if (rand() % 1000 == 0)
        random_wide(text);
    if (rand() % 1000 == 0)
        for (int i = 0; i < 501; i++)
            str_printf(text, ",\"open%d\":%d", i, i);
    str_append_char(text, '}');
}

/* Up to six paths; none every fifth time. */
static void random_fields(struct str *fields)
{
    static const char *const known[] = {
        "identities",        "identities.id",         "identities.namespace",  "identityMap", "identityMap.ups.id",
        "segmentMembership", "segmentMembership.ups", "segmentMembership.d.b", "wide1.a"};
    int paths = rand() % 5 == 0 ? 0 : 1 + rand() % 6;
    str_reset(fields);
    str_append_text(fields, "");
    for (int i = 0; i < paths; i++) {
        int segments = 1 + rand() % 3;
        str_append_text(fields, i == 0 ? "" : ",");
        if (rand() % 5 == 0)
            str_append_text(fields, known[(size_t)rand() % (sizeof known / sizeof known[0])]);
        else
            str_append_text(fields, random_names[rand() % RANDOM_NAMES][0]);
        for (int n = 1; n < segments; n++)
            str_printf(fields, ".%s", random_names[rand() % RANDOM_NAMES][0]);
    }
}

#endif
