/*
 * collection_put: messages into the database. See collection_put.h.
 */
#include "responder/collection_put.h"

#include <stdlib.h>
#include <string.h>

#include "core/stmt_api.h"
#include "responder/collection_check.h"

/* Arrays of texts as PostgreSQL reads them ("Array Input and Output Syntax"), one element for each message that is
 * not refused. */
struct put_arrays {
    char *bodies;
    char *xactions;
    char *schemas; /* NULL: no message names one */
};

static size_t put_room(size_t length)
{
    return 2 * length + sizeof "\"\",";
}

/* Appends an element at `out`; answers where the next one goes. */
static char *put_element(char *out, const char *text, size_t length)
{
    *out++ = '"';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"' || text[i] == '\\')
            *out++ = '\\';
        *out++ = text[i];
    }
    *out++ = '"';
    *out++ = ',';
    return out;
}

/* Ends an array: the last comma becomes its brace. */
static void put_close(char *end)
{
    end[-1] = '}';
    *end = '\0';
}

uint32_t collection_refused(const struct collection_batch *b)
{
    uint32_t refused = 0;
    for (uint32_t i = 0; i < b->count; i++)
        refused += b->messages[i].refusal.pointer != NULL;
    return refused;
}

const char *collection_xaction(struct arena *a, const struct collection_batch *b, uint32_t place)
{
    return b->list ? arena_printf(a, "%s:%u", b->xaction, place) : b->xaction;
}

/* The schemas that messages name, or NULL. */
static enum fault put_schemas(struct arena *a, const struct collection_batch *b, char **out)
{
    size_t room = 1;
    bool any = false;
    for (uint32_t i = 0; i < b->count; i++) {
        const char *schema = b->messages[i].refusal.pointer == NULL ? b->messages[i].schema : NULL;
        any = any || schema != NULL;
        room += schema != NULL ? put_room(strlen(schema)) : sizeof "NULL,";
    }
    *out = NULL;
    if (!any)
        return FAULT_NONE;
    char *at = *out = arena_alloc(a, room + 1);
    if (at == NULL)
        return FAULT_MEMORY;
    *at++ = '{';
    for (uint32_t i = 0; i < b->count; i++) {
        const struct collection_message *m = &b->messages[i];
        if (m->refusal.pointer != NULL)
            continue;
        if (m->schema != NULL)
            at = put_element(at, m->schema, strlen(m->schema));
        else
            at = (char *)memcpy(at, "NULL,", 5) + 5;
    }
    put_close(at);
    return FAULT_NONE;
}

static enum fault put_write(struct arena *a, const struct collection_batch *b, struct put_arrays *out)
{
    size_t room = 2;
    for (uint32_t i = 0; i < b->count; i++)
        room += b->messages[i].refusal.pointer == NULL ? put_room(b->messages[i].length) : 0;
    out->bodies = arena_alloc(a, room);
    out->xactions = arena_alloc(a, 2 + b->count * (strlen(b->xaction) + sizeof "\"\",:4294967295"));
    enum fault fault = put_schemas(a, b, &out->schemas);
    if (out->bodies == NULL || out->xactions == NULL || fault != FAULT_NONE)
        return FAULT_MEMORY;
    char *body = out->bodies, *xaction = out->xactions;
    *body++ = '{';
    *xaction++ = '{';
    for (uint32_t i = 0; i < b->count; i++) {
        const struct collection_message *m = &b->messages[i];
        const char *name = m->refusal.pointer == NULL ? collection_xaction(a, b, i) : NULL;
        if (name == NULL)
            continue; /* refused; or without memory, which is seen below */
        body = put_element(body, m->record, m->length);
        xaction = put_element(xaction, name, strlen(name));
    }
    put_close(body);
    put_close(xaction);
    return arena_exhausted(a) ? FAULT_MEMORY : FAULT_NONE;
}

/* Refuses those at the places (from 1, of the ones that were given) of an array of integers as text: {1,3}. */
static void put_refuse(struct collection_batch *b, const char *places)
{
    uint32_t given = 0, i = 0;
    const char *at = places + 1;
    while (*at >= '0' && *at <= '9') {
        char *end;
        unsigned long place = strtoul(at, &end, 10);
        for (; i < b->count && given < place; i++)
            given += b->messages[i].refusal.pointer == NULL;
        struct collection_message *m = &b->messages[i - 1];
        m->refusal = (struct collection_refusal){m->schema_pointer, "must be the schema of the dataset"};
        at = *end == ',' ? end + 1 : end;
    }
}

enum fault collection_put(struct call *c, struct collection_batch *b)
{
    const char *key, *digest;
    struct put_arrays arrays;
    struct db_rows rows;
    enum fault fault = call_idempotency(c, &key, &digest);
    if (fault == FAULT_NONE)
        fault = put_write(c->arena, b, &arrays);
    if (fault != FAULT_NONE)
        return fault;
    const char *const params[] = {b->dataset, arrays.bodies, arrays.xactions, arrays.schemas, b->xaction, key, digest};
    fault = call_db(c, &STMT_STREAM_PUT, params, 7, &rows);
    if (fault == FAULT_MALFORMED)
        return collection_refuse_union(c);
    if (fault != FAULT_NONE)
        return call_key_refusal(c, fault);
    b->xaction = db_text(&rows, 0, 0);
    put_refuse(b, db_text(&rows, 0, 1));
    return FAULT_NONE;
}
