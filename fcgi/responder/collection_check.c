/*
 * collection_check: records against the rules of their dataset. See collection_check.h.
 */
#include "responder/collection_check.h"

#include <string.h>

#include "core/stmt_api.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "profile/record.h"
#include "profile/schema.h"

/* The columns of STMT_DATASET_RULES. */
enum rules_column { RULES_CLASS, RULES_DOCUMENT, RULES_IDENTITIES };

enum fault collection_refuse_union(struct call *c)
{
    return call_refuse(c, FAULT_MALFORMED, NULL, "a union dataset is exported into, not ingested into");
}

/* The tenant's schema of the dataset; *out NULL: it has a base schema. */
static enum fault check_schema(struct call *c, const struct db_rows *rows, const struct schema **out)
{
    struct spec_refusal refusal;
    *out = NULL;
    if (db_null(rows, 0, RULES_DOCUMENT))
        return FAULT_NONE;
    enum fault fault = schema_read(c->arena, db_text(rows, 0, RULES_DOCUMENT), db_length(rows, 0, RULES_DOCUMENT),
                                   db_text(rows, 0, RULES_IDENTITIES), out, &refusal);
    if (fault != FAULT_MALFORMED)
        return fault;
    log_event(LOG_ERROR, "stored_schema", "dataset=%s", c->segment[0]); /* it was good when it was registered */
    return FAULT_INTERNAL;
}

static enum fault check_records(struct call *c, struct record *record, struct collection_message *messages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct collection_message *m = &messages[i];
        if (m->refusal.pointer != NULL || record_read(record, m->record, m->length))
            continue;
        m->refusal = (struct collection_refusal){m->record_pointer, arena_text(c->arena, record->reason)};
    }
    return arena_exhausted(c->arena) ? FAULT_MEMORY : FAULT_NONE;
}

enum fault collection_check(struct call *c, const char *dataset, struct collection_message *messages, uint32_t count)
{
    static struct record record; /* too large for the stack */
    const struct schema *schema;
    const char *const params[] = {dataset};
    struct db_rows rows;
    enum fault fault = call_db(c, &STMT_DATASET_RULES, params, 1, &rows);
    if (fault == FAULT_NONE && rows.count == 0)
        fault = FAULT_NOT_FOUND;
    if (fault != FAULT_NONE)
        return fault;
    if (strcmp(db_text(&rows, 0, RULES_CLASS), "profile_union") == 0)
        return collection_refuse_union(c);
    fault = check_schema(c, &rows, &schema);
    if (fault != FAULT_NONE)
        return fault;
    record = RECORD_INIT((uint32_t)conf_number(CONF_INGEST_RECORD_BYTES));
    record.schema = schema;
    record.event = strcmp(db_text(&rows, 0, RULES_CLASS), "experienceevent") == 0;
    fault = check_records(c, &record, messages, count);
    record_free(&record); /* a worker keeps nothing of a request */
    return fault;
}
