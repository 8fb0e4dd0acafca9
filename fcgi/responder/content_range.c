/*
 * content_range: the header Content-Range of a request. See content_range.h.
 */
#include "responder/content_range.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONTENT_RANGE_DIGITS 15u

/* Reads digits that end with `stop`; answers what follows it, or NULL. */
static const char *content_range_number(const char *text, char stop, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > CONTENT_RANGE_DIGITS || text[digits] != stop)
        return NULL;
    *out = strtoll(text, NULL, 10);
    return stop == '\0' ? text + digits : text + digits + 1;
}

bool content_range_read(const char *text, struct content_range *out)
{
    *out = (struct content_range){0};
    if (strncasecmp(text, "bytes ", 6) != 0)
        return false;
    text += 6;
    if (strncmp(text, "*/", 2) == 0) {
        out->asks = true;
        return content_range_number(text + 2, '\0', &out->total) != NULL;
    }
    text = content_range_number(text, '-', &out->first);
    if (text != NULL)
        text = content_range_number(text, '/', &out->last);
    if (text != NULL)
        text = content_range_number(text, '\0', &out->total);
    return text != NULL && out->first <= out->last && out->last < out->total;
}
