/*
 * message: messages of one dataset into the profile store, some at a time. See message.h.
 */
#include "store/message.h"

#include "core/ident.h"
#include "core/stmt_spooler.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/str.h"
#include "store/intake.h"

#define MESSAGE_ERRORS_MAX (64u * 1024u * 1024u)

/* The columns of STMT_STREAM_TAKE. */
enum message_column { MESSAGE_NUMBER, MESSAGE_XACTION, MESSAGE_BYTES, MESSAGE_BODY };

struct message_step {
    const struct message_order *order;
    struct message_result *result;
    struct intake intake;
    int64_t started_ms;
    int64_t bytes; /* of the messages */
};

static enum fault message_take(struct message_step *s, struct db_rows *rows)
{
    const struct message_order *o = s->order;
    const char *params[] = {arena_int(o->arena, o->org), arena_int(o->arena, o->sandbox), o->dataset,
                            arena_int(o->arena, o->after), arena_int(o->arena, o->to), arena_int(o->arena, o->rows),
                            arena_int(o->arena, o->bytes)};
    if (arena_exhausted(o->arena))
        return FAULT_MEMORY;
    return db_run(o->db, o->arena, &STMT_STREAM_TAKE, params, rows);
}

/* A refused one is told by its xactionId, which is what its client has of it. */
static enum fault message_one(struct message_step *s, const struct db_rows *rows, int row)
{
    const char *body = db_text(rows, row, MESSAGE_BODY);
    size_t length = db_length(rows, row, MESSAGE_BODY);
    struct intake_place place = {.file = db_text(rows, row, MESSAGE_XACTION), .line = 1};
    s->bytes += db_int(rows, row, MESSAGE_BYTES);
    s->result->last = db_int(rows, row, MESSAGE_NUMBER);
    if (!s->order->refuse)
        return intake_take(&s->intake, &place, body, length);
    intake_refuse(&s->intake, &place, "unknown", "it could not be loaded, alone and in several attempts", body, length);
    return FAULT_NONE;
}

/* Has the database take what was staged, and keep what is told of the refused ones. */
static enum fault message_hand_over(struct message_step *s)
{
    const struct message_order *o = s->order;
    struct str errors = STR_INIT(MESSAGE_ERRORS_MAX);
    char batch[IDENT_BATCH_DIGITS + 1];
    crypto_random_hex(batch, IDENT_BATCH_DIGITS / 2);
    refused_write(&s->intake.refused, &errors);
    const char *params[] = {arena_int(o->arena, o->org),
                            arena_int(o->arena, o->sandbox),
                            o->dataset,
                            o->entry,
                            o->attempt,
                            batch,
                            arena_int(o->arena, s->started_ms),
                            arena_int(o->arena, s->result->taken),
                            arena_int(o->arena, s->result->failed),
                            arena_int(o->arena, s->bytes),
                            arena_int(o->arena, s->intake.bytes),
                            errors.data,
                            arena_int(o->arena, o->errors_kept)};
    enum fault fault = FAULT_MEMORY;
    if (!errors.overflow && !arena_exhausted(o->arena))
        fault = db_run(o->db, o->arena, &STMT_STREAM_LOAD, params, NULL);
    str_free(&errors);
    return fault;
}

static enum fault message_rows(struct message_step *s, const struct db_rows *rows)
{
    enum fault fault = intake_begin(&s->intake);
    for (int row = 0; fault == FAULT_NONE && row < rows->count; row++)
        fault = message_one(s, rows, row);
    if (fault == FAULT_NONE)
        fault = intake_end(&s->intake);
    s->result->taken = s->intake.input;
    s->result->failed = s->intake.refused.count;
    s->result->bytes = s->intake.bytes;
    if (fault == FAULT_NONE)
        fault = message_hand_over(s);
    return fault == FAULT_NONE ? intake_observe(&s->intake) : fault;
}

/* The transaction. On a fault the caller ends it. */
static enum fault message_transaction(struct message_step *s)
{
    const struct message_order *o = s->order;
    struct db_rows rows = {.count = 0};
    enum fault fault = db_begin(o->db, o->org, "");
    if (fault == FAULT_NONE)
        fault = message_take(s, &rows);
    if (fault == FAULT_NONE && rows.count > 0)
        fault = message_rows(s, &rows);
    return fault == FAULT_NONE ? db_commit(o->db) : fault;
}

enum fault message_load(const struct message_order *o, struct message_result *result)
{
    struct message_step s = {.order = o, .result = result, .started_ms = clock_wall_ms()};
    struct intake_order intake = {.db = o->db,
                                  .arena = o->arena,
                                  .org = o->org,
                                  .sandbox = o->sandbox,
                                  .dataset = o->dataset,
                                  .event = o->event,
                                  .record_bytes = o->record_bytes,
                                  .errors_kept = o->errors_kept};
    *result = (struct message_result){.last = o->after};
    enum fault fault = intake_init(&s.intake, &intake);
    if (fault == FAULT_NONE)
        fault = message_transaction(&s);
    if (fault != FAULT_NONE)
        db_close(o->db); /* a COPY may be under way: it ends with its connection */
    intake_free(&s.intake);
    return fault;
}
