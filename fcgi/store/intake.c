/*
 * intake: records on their way into the profile store. See intake.h.
 */
#include "store/intake.h"

#include "core/stmt_spooler.h"
#include "lib/log.h"
#include "profile/schema.h"

#define INTAKE_SCHEMA_MAX (64u * 1024u * 1024u) /* far above what OBSERVED_NODES_MAX nodes can take */

enum fault intake_init(struct intake *in, const struct intake_order *order)
{
    *in = (struct intake){.order = order, .record = RECORD_INIT((uint32_t)order->record_bytes)};
    in->record.event = order->event;
    refused_init(&in->refused, order->errors_kept);
    in->observed = observed_new();
    return in->observed == NULL ? FAULT_MEMORY : FAULT_NONE;
}

void intake_free(struct intake *in)
{
    stage_free(&in->stage);
    refused_free(&in->refused);
    record_free(&in->record);
    observed_free(in->observed);
    arena_free(in->rules);
}

/* The tenant's schema of the dataset, if it has one. */
static enum fault intake_read_rules(struct intake *in)
{
    const struct intake_order *o = in->order;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox), o->dataset};
    struct spec_refusal refusal = {"", ""};
    struct db_rows rules;
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    in->record.schema = NULL;
    enum fault fault = db_run(o->db, o->arena, &STMT_INTAKE_RULES, params, &rules);
    if (fault != FAULT_NONE || rules.count == 0 || db_null(&rules, 0, 1))
        return fault;
    arena_free(in->rules);
    in->rules = arena_new(SCHEMA_ARENA_BYTES);
    if (in->rules == NULL)
        return FAULT_MEMORY;
    fault = schema_read(in->rules, db_text(&rules, 0, 1), db_length(&rules, 0, 1), db_text(&rules, 0, 2),
                        &in->record.schema, &refusal);
    if (fault != FAULT_MALFORMED)
        return fault;
    log_event(LOG_ERROR, "intake_schema", "dataset=%s pointer=\"%s\" rule=\"%s\"", o->dataset, refusal.pointer,
              refusal.detail);
    return FAULT_INTERNAL; /* the registry has taken it */
}

enum fault intake_begin(struct intake *in)
{
    enum fault fault = intake_read_rules(in);
    return fault != FAULT_NONE ? fault : stage_begin(&in->stage, in->order->db, in->order->record_bytes);
}

static void intake_note(struct intake *in, const struct intake_place *at, const char *code, const char *reason,
                        const char *text, size_t length)
{
    struct refused_record record = {.file = at->file,
                                    .line = at->line,
                                    .offset = at->offset,
                                    .code = code,
                                    .reason = reason,
                                    .text = at->shown != NULL ? at->shown : text,
                                    .length = at->shown != NULL ? at->shown_length : length};
    refused_add(&in->refused, &record);
}

void intake_refuse(struct intake *in, const struct intake_place *at, const char *code, const char *reason,
                   const char *text, size_t length)
{
    in->input++;
    intake_note(in, at, code, reason, text, length);
}

enum fault intake_take(struct intake *in, const struct intake_place *at, const char *text, size_t length)
{
    in->input++;
    if (!record_read(&in->record, text, length)) {
        intake_note(in, at, in->record.code, in->record.reason, text, length);
        return FAULT_NONE;
    }
    if (!observed_add(in->observed, &in->record.scan)) {
        log_event(LOG_ERROR, "intake_memory", "what=schema");
        return FAULT_MEMORY;
    }
    in->bytes += (int64_t)in->record.body_length;
    return stage_add(&in->stage, &in->record);
}

enum fault intake_end(struct intake *in)
{
    return stage_end(&in->stage);
}

enum fault intake_observe(struct intake *in)
{
    const struct intake_order *o = in->order;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox), o->dataset, NULL};
    struct db_rows stored;
    if (in->stage.rows == 0)
        return FAULT_NONE;
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    enum fault fault = db_run(o->db, o->arena, &STMT_OBSERVED_GET, params, &stored);
    if (fault != FAULT_NONE || (stored.count > 0 && db_null(&stored, 0, 0)))
        return fault; /* what the dataset held before is not known, so the whole is not either */
    if (stored.count > 0)
        fault = observed_merge_text(in->observed, db_text(&stored, 0, 0), db_length(&stored, 0, 0));
    if (fault != FAULT_NONE)
        return fault;
    struct str schema = STR_INIT(INTAKE_SCHEMA_MAX);
    observed_write(in->observed, &schema);
    params[3] = schema.data;
    fault = schema.overflow ? FAULT_MEMORY : db_run(o->db, o->arena, &STMT_OBSERVED_PUT, params, NULL);
    str_free(&schema);
    return fault;
}
