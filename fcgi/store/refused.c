/*
 * refused: the records of a batch that were not taken. See refused.h.
 */
#include "store/refused.h"

#include <string.h>

/* A shown record and a file name, every byte of them escaped. */
#define REFUSED_ENTRY_MAX (6u * (REFUSED_SHOWN_BYTES + 1024u) + 1024u)

void refused_init(struct refused *r, int64_t keep)
{
    *r = (struct refused){.keep = keep, .list = STR_INIT(REFUSED_MOST_BYTES + REFUSED_ENTRY_MAX)};
}

void refused_free(struct refused *r)
{
    str_free(&r->list);
}

/* The length of the well-formed character at p (RFC 3629 section 4), 0 if there is none. */
static size_t refused_character(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t length;
    if (p[0] < 0x80)
        return p[0] != 0;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        length = 2;
    else if ((p[0] & 0xf0) == 0xe0)
        length = 3;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        length = 4;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (left < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/* Where to cut so that no character is split: in front of the last one that `most` does not hold. */
static size_t refused_cut(const char *bytes, size_t length, size_t most)
{
    if (length <= most)
        return length;
    size_t cut = most;
    for (unsigned back = 0; back < 3 && cut > 0 && ((unsigned char)bytes[cut] & 0xc0) == 0x80; back++)
        cut--;
    return cut;
}

void refused_write_text(struct str *out, const char *bytes, size_t length, size_t most)
{
    char plain[3 * REFUSED_SHOWN_BYTES];
    size_t used = 0;
    if (most > REFUSED_SHOWN_BYTES)
        most = REFUSED_SHOWN_BYTES;
    length = refused_cut(bytes, length, most);
    for (size_t at = 0; at < length;) {
        size_t step = refused_character((const unsigned char *)bytes + at, length - at);
        if (step == 0) {
            memcpy(plain + used, "\xef\xbf\xbd", 3);
            used += 3;
            at++;
        } else {
            memcpy(plain + used, bytes + at, step);
            used += step;
            at += step;
        }
    }
    str_append_json(out, plain, used);
}

void refused_add(struct refused *r, const struct refused_record *record)
{
    r->count++;
    if (r->kept >= r->keep || r->list.length > REFUSED_MOST_BYTES)
        return;
    if (r->kept > 0)
        str_append_char(&r->list, ',');
    str_append_text(&r->list, "{\"file\":");
    refused_write_text(&r->list, record->file, strlen(record->file), REFUSED_SHOWN_BYTES);
    str_append_text(&r->list, ",\"line\":");
    str_append_int(&r->list, record->line);
    str_append_text(&r->list, ",\"byte_offset\":");
    str_append_int(&r->list, record->offset);
    str_append_text(&r->list, ",\"code\":");
    refused_write_text(&r->list, record->code, strlen(record->code), REFUSED_SHOWN_BYTES);
    str_append_text(&r->list, ",\"reason\":");
    refused_write_text(&r->list, record->reason, strlen(record->reason), REFUSED_SHOWN_BYTES);
    str_append_text(&r->list, ",\"record\":");
    refused_write_text(&r->list, record->text, record->length, REFUSED_SHOWN_BYTES);
    str_append_char(&r->list, '}');
    r->kept++;
}

void refused_write(const struct refused *r, struct str *out)
{
    str_append_char(out, '[');
    str_append(out, r->list.data != NULL ? r->list.data : "", r->list.length);
    str_append_char(out, ']');
}
