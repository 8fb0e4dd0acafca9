/*
 * right: the names of the rights. See right.h.
 */
#include "core/right.h"

#include <stdio.h>
#include <string.h>

static const char *const NAMES[] = {"catalog:read",  "catalog:write", "export:read", "export:write", "profile:read",
                                    "profile:write", "ingest:write",  "files:read",  "schema:read",  "schema:write"};
#define RIGHT_COUNT (sizeof NAMES / sizeof *NAMES)

unsigned right_parse(const char *text, unsigned *unknown)
{
    unsigned set = 0, strangers = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, " ,");
        size_t i = 0;
        while (i < RIGHT_COUNT && (strlen(NAMES[i]) != length || strncmp(NAMES[i], text, length) != 0))
            i++;
        if (i < RIGHT_COUNT)
            set |= 1u << i;
        else if (length > 0)
            strangers++;
        text += length + (text[length] != '\0');
    }
    if (unknown != NULL)
        *unknown = strangers;
    return set;
}

const char *right_name(enum right right)
{
    for (size_t i = 0; i < RIGHT_COUNT; i++) {
        if ((unsigned)right == 1u << i)
            return NAMES[i];
    }
    return "";
}

void right_print(unsigned set, char separator, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < RIGHT_COUNT; i++) {
        if ((set & 1u << i) == 0 || used >= size)
            continue;
        int n = used == 0 ? snprintf(out, size, "%s", NAMES[i])
                          : snprintf(out + used, size - used, "%c%s", separator, NAMES[i]);
        used += n > 0 ? (size_t)n : 0;
    }
}
