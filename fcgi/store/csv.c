/*
 * csv: a row of a CSV file as the JSON text of a record. See csv.h.
 */
#include "store/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CSV_OBJECT UINT32_MAX

/* A member: a column, or an object. */
struct csv_node {
    size_t name, name_length; /* in names */
    uint32_t column;          /* CSV_OBJECT: it has members */
    uint32_t first, last;     /* member; 0: none */
    uint32_t next;            /* of the same object; 0: none */
    unsigned kinds;
};

/* One field of a row. */
struct csv_field {
    size_t begin, length; /* in plain */
    bool quoted;
};

bool csv_init(struct csv *c, size_t most_bytes)
{
    *c = (struct csv){.names = STR_INIT(CSV_NAMES_BYTES), .plain = STR_INIT(most_bytes + 2), .json = STR_INIT(most_bytes + 1)};
    c->field = calloc(CSV_COLUMNS_MAX, sizeof *c->field);
    return c->field != NULL;
}

void csv_free(struct csv *c)
{
    free(c->node);
    free(c->field);
    str_free(&c->names);
    str_free(&c->plain);
    str_free(&c->json);
}

static bool csv_refuse(struct csv *c, const char *reason)
{
    snprintf(c->reason, sizeof c->reason, "%s", reason);
    return false;
}

/* Takes a field in quotes that begins at text[at]; answers what follows its closing quote, or SIZE_MAX. */
static size_t csv_quoted(struct csv *c, const char *text, size_t length, size_t at)
{
    for (at++; at < length;) {
        const char *quote = memchr(text + at, '"', length - at);
        if (quote == NULL)
            break;
        size_t end = (size_t)(quote - text);
        str_append(&c->plain, text + at, end - at);
        if (end + 1 == length || text[end + 1] != '"')
            return end + 1;
        str_append_char(&c->plain, '"');
        at = end + 2;
    }
    return SIZE_MAX;
}

static bool csv_refuse_field(struct csv *c, const char *what)
{
    snprintf(c->reason, sizeof c->reason, "field %u: %s", c->fields + 1, what);
    return false;
}

/* Cuts a row into its fields. */
static bool csv_split(struct csv *c, const char *text, size_t length)
{
    str_reset(&c->plain);
    c->fields = 0;
    for (size_t at = 0;; at++) { /* over the delimiter */
        if (c->fields == CSV_COLUMNS_MAX)
            return csv_refuse(c, "the row has more than 4096 fields");
        struct csv_field *f = &c->field[c->fields];
        f->begin = c->plain.length;
        f->quoted = at < length && text[at] == '"';
        if (f->quoted) {
            at = csv_quoted(c, text, length, at);
            if (at == SIZE_MAX)
                return csv_refuse_field(c, "its closing quote is missing");
            if (at < length && text[at] != c->delimiter)
                return csv_refuse_field(c, "something follows its closing quote");
        } else {
            const char *stop = at < length ? memchr(text + at, c->delimiter, length - at) : NULL;
            size_t end = stop == NULL ? length : (size_t)(stop - text);
            if (at < end && memchr(text + at, '"', end - at) != NULL)
                return csv_refuse_field(c, "a quote in a field that does not begin with one");
            /* RFC 4180 section 2, TEXTDATA; and a file whose lines end with CR alone would be one long header */
            if (at < end && memchr(text + at, '\r', end - at) != NULL)
                return csv_refuse_field(c, "a carriage return that ends no line, in a field without quotes");
            str_append(&c->plain, text + at, end - at);
            at = end;
        }
        f->length = c->plain.length - f->begin;
        c->fields++;
        if (at >= length)
            return !c->plain.overflow || csv_refuse(c, "the row is too long");
    }
}

static struct csv_node *csv_add_node(struct csv *c, size_t name, size_t length)
{
    if (c->nodes == c->node_room) {
        uint32_t room = c->node_room == 0 ? 64 : c->node_room * 2;
        struct csv_node *more = realloc(c->node, room * sizeof *more);
        if (more == NULL)
            return NULL;
        c->node = more;
        c->node_room = room;
    }
    struct csv_node *n = &c->node[c->nodes++];
    *n = (struct csv_node){.name = name, .name_length = length, .column = CSV_OBJECT};
    return n;
}

/* The member of `parent` with this name, made when there is none; 0: no memory. */
static uint32_t csv_member(struct csv *c, uint32_t parent, size_t name, size_t length, bool *made)
{
    *made = false;
    for (uint32_t i = c->node[parent].first; i != 0; i = c->node[i].next) {
        const struct csv_node *n = &c->node[i];
        if (n->name_length == length && memcmp(c->names.data + n->name, c->names.data + name, length) == 0)
            return i;
    }
    if (csv_add_node(c, name, length) == NULL)
        return 0;
    uint32_t made_at = c->nodes - 1;
    struct csv_node *p = &c->node[parent];
    if (p->first == 0)
        p->first = made_at;
    else
        c->node[p->last].next = made_at;
    p->last = made_at;
    *made = true;
    return made_at;
}

static bool csv_refuse_column(struct csv *c, uint32_t column, const char *what)
{
    snprintf(c->reason, sizeof c->reason, "the header's column %u %s", column + 1, what);
    return false;
}

/* Enters the column whose name stands in names[begin .. begin + length). */
static bool csv_add_column(struct csv *c, uint32_t column, size_t begin, size_t length, unsigned kinds)
{
    uint32_t at = 0, depth = 0;
    bool made = false;
    const size_t stop = begin + length;
    for (size_t part = begin;; part++) {
        const char *dot = part < stop ? memchr(c->names.data + part, '.', stop - part) : NULL;
        size_t end = dot == NULL ? stop : (size_t)(dot - c->names.data);
        if (end == part)
            return csv_refuse_column(c, column, "has an empty name, or an empty part between dots");
        if (++depth > CSV_DEPTH_MAX)
            return csv_refuse_column(c, column, "nests more than 32 objects");
        at = csv_member(c, at, part, end - part, &made);
        if (at == 0)
            return csv_refuse(c, "no memory for the header");
        if (c->node[at].column != CSV_OBJECT)
            return csv_refuse_column(c, column, end == stop ? "has the name of an earlier one"
                                                            : "is a member of one that is a value");
        if (end == stop)
            break;
        part = end;
    }
    if (!made)
        return csv_refuse_column(c, column, "is a value, and an earlier one a member of it");
    c->node[at].column = column;
    c->node[at].kinds = kinds;
    return true;
}

bool csv_header(struct csv *c, const char *text, size_t length, char delimiter, csv_kind_of *kind, void *arg)
{
    c->delimiter = delimiter;
    c->nodes = 0;
    str_reset(&c->names);
    if (!csv_split(c, text, length))
        return false;
    str_append(&c->names, c->plain.data, c->plain.length);
    if (c->names.overflow || c->plain.length == 0)
        return csv_refuse(c, c->plain.length == 0 ? "the header names nothing" : "the header is too long");
    if (csv_add_node(c, 0, 0) == NULL)
        return csv_refuse(c, "no memory for the header");
    c->columns = c->fields;
    for (uint32_t i = 0; i < c->columns; i++) {
        const struct csv_field *f = &c->field[i];
        unsigned kinds = kind == NULL || f->length == 0 ? CSV_STRING : kind(arg, c->names.data + f->begin, f->length);
        if (!csv_add_column(c, i, f->begin, f->length, kinds))
            return false;
    }
    return true;
}

/* Whether the text is a number as JSON has them (RFC 8259 section 6). */
static bool csv_is_number(const char *text, size_t length)
{
    size_t at = length > 0 && text[0] == '-';
    size_t begin = at;
    while (at < length && text[at] >= '0' && text[at] <= '9')
        at++;
    if (at == begin || (text[begin] == '0' && at > begin + 1))
        return false;
    if (at < length && text[at] == '.') {
        begin = ++at;
        while (at < length && text[at] >= '0' && text[at] <= '9')
            at++;
        if (at == begin)
            return false;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        at += at < length && (text[at] == '+' || text[at] == '-');
        begin = at;
        while (at < length && text[at] >= '0' && text[at] <= '9')
            at++;
        if (at == begin)
            return false;
    }
    return at == length;
}

/* Writes the value of a field, by what its column may be. */
static void csv_write_value(struct csv *c, const struct csv_field *f, unsigned kinds)
{
    const char *text = c->plain.data + f->begin;
    if ((kinds & CSV_NUMBER) != 0 && csv_is_number(text, f->length))
        str_append(&c->json, text, f->length);
    else if ((kinds & CSV_BOOLEAN) != 0 && f->length == 4 && strncasecmp(text, "true", 4) == 0)
        str_append_text(&c->json, "true");
    else if ((kinds & CSV_BOOLEAN) != 0 && f->length == 5 && strncasecmp(text, "false", 5) == 0)
        str_append_text(&c->json, "false");
    else
        str_append_json(&c->json, text, f->length);
}

static void csv_cut(struct str *s, size_t length)
{
    s->length = length;
    s->data[length] = '\0';
}

/* Writes the members of an object that are there. False: none is. CSV_DEPTH_MAX bounds the recursion. */
static bool csv_write_object(struct csv *c, uint32_t object)
{
    bool any = false;
    str_append_char(&c->json, '{');
    for (uint32_t i = c->node[object].first; i != 0; i = c->node[i].next) {
        const struct csv_node *n = &c->node[i];
        const struct csv_field *f = n->column == CSV_OBJECT ? NULL : &c->field[n->column];
        size_t before = c->json.length;
        if (f != NULL && f->length == 0 && !f->quoted)
            continue;
        if (any)
            str_append_char(&c->json, ',');
        str_append_json(&c->json, c->names.data + n->name, n->name_length);
        str_append_char(&c->json, ':');
        if (f != NULL) {
            csv_write_value(c, f, n->kinds);
        } else if (!csv_write_object(c, i)) {
            if (!c->json.overflow)
                csv_cut(&c->json, before);
            continue;
        }
        any = true;
    }
    str_append_char(&c->json, '}');
    return any;
}

bool csv_row(struct csv *c, const char *text, size_t length)
{
    c->code = "csv";
    if (!csv_split(c, text, length))
        return false;
    if (c->fields != c->columns) {
        snprintf(c->reason, sizeof c->reason, "the row has %u fields, the header %u", c->fields, c->columns);
        return false;
    }
    str_reset(&c->json);
    (void)csv_write_object(c, 0);
    if (!c->json.overflow)
        return true;
    c->code = "size";
    return csv_refuse(c, "the row is too long as a record");
}
