/*
 * preview: the first rows of a run. See preview.h.
 */
#include "export/preview.h"

#include <string.h>

#include "lib/invariant.h"

/* Appends to the row at hand, or leaves it out. */
static void preview_put(struct preview *p, const char *bytes, size_t length)
{
    size_t used = p->text.length - p->rows; /* a line feed each */
    if (p->taking && length <= PREVIEW_BYTES - used) {
        str_append(&p->text, bytes, length);
        return;
    }
    if (p->taking) {
        p->text.length = p->row_at;
        p->text.data[p->row_at] = '\0';
    }
    p->taking = false;
}

static void preview_put_text(struct preview *p, const char *text)
{
    preview_put(p, text, strlen(text));
}

void preview_row_begin(struct preview *p, const char *profile, size_t length)
{
    p->taking = p->rows < PREVIEW_ROWS && !p->text.overflow;
    if (!p->taking)
        return;
    p->rows++;
    str_append_char(&p->text, '\n');
    p->row_at = p->text.length;
    INVARIANT(length >= 2 && profile[length - 1] == '}');
    length--; /* the brace: eventList may follow */
    p->empty = strspn(profile + 1, " ") == length - 1;
    p->events = false;
    preview_put(p, profile, length);
}

void preview_row_event(struct preview *p, const char *event, size_t length)
{
    if (!p->taking)
        return;
    preview_put_text(p, p->events ? "," : p->empty ? "\"eventList\":[" : ",\"eventList\":[");
    p->events = true;
    preview_put(p, event, length);
}

void preview_row_end(struct preview *p)
{
    if (p->taking)
        preview_put_text(p, p->events ? "]}" : "}");
    p->taking = false;
}

const char *preview_text(const struct preview *p)
{
    return p->text.data == NULL || p->text.overflow ? "" : p->text.data;
}

void preview_free(struct preview *p)
{
    str_free(&p->text);
}
