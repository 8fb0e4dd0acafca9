/*
 * job_errors: what a client is told of work that failed. See job_errors.h.
 */
#include "spooler/job_errors.h"

#include <string.h>

#define CODE_OUTPUT "0090000009"
#define CODE_EXPORT "0100000003"
#define CODE_UNKNOWN "unknown"

#define OF_STORAGE " (the service's storage, not the request)"
#define OF_DATABASE " (the service's database, not the request)"
#define OF_SERVICE " (an error of the service, not of the request)"

struct job_errors_row {
    enum fault fault;
    const char *code;   /* of an export */
    const char *reason; /* what happened, and whose fault it is */
    const char *load_code;
    const char *load_reason;
};

static const struct job_errors_row ROWS[] = {
    {FAULT_DISK_FULL, CODE_OUTPUT, "no space is left for it" OF_STORAGE, "storage", "no space is left" OF_STORAGE},
    {FAULT_DISK, CODE_OUTPUT, "the storage refused a read, write, sync or rename" OF_STORAGE, "storage",
     "an uploaded file could not be read as it was received" OF_STORAGE},
    {FAULT_STORE, CODE_OUTPUT, "the object store refused the service; its operator has to mend that" OF_STORAGE, "storage",
     "the object store refused the service" OF_STORAGE},
    {FAULT_QUOTA, CODE_OUTPUT, "the room in the lake that the operator gave the organization is used up; remove data or ask for more",
     "quota", "a quota that the operator set is used up"},
    {FAULT_DB_UNAVAILABLE, CODE_EXPORT, "the database ended the connection or did not answer" OF_DATABASE, "db_unavailable",
     "the database ended the connection or did not answer" OF_DATABASE},
    {FAULT_DB_CONFLICT, CODE_EXPORT, "other calls held what it needed" OF_DATABASE, "db_conflict",
     "other calls held what it needed" OF_DATABASE},
    {FAULT_DB_DUPLICATE, CODE_EXPORT, "an unexpected duplicate" OF_SERVICE, "internal", "an unexpected duplicate" OF_SERVICE},
    {FAULT_MEMORY, CODE_EXPORT, "no attempt got the memory it needed: either the service is short of it, or the job needs more than one is given; fewer"
     " fields or segments take less",
     "memory", "no attempt got the memory it needed: either the service is short of it, or the batch needs more than one is given;"
     " smaller records or files take less"},
    {FAULT_MALFORMED, CODE_EXPORT, "what was stored of the request or the profiles is not as it was accepted" OF_SERVICE,
     "malformed", "what was stored is not as it was accepted" OF_SERVICE},
    {FAULT_POLICY, CODE_EXPORT, "its merge policy is not there any more (the request's)", "internal", "the batch could not be loaded" OF_SERVICE},
    {FAULT_POLICY_VERSION, CODE_EXPORT, "its version of the merge policy is not there any more (the request's)", "internal",
     "the batch could not be loaded" OF_SERVICE},
    {FAULT_INTERNAL, CODE_EXPORT, "the cause is in the service's log" OF_SERVICE, "internal", "the cause is in the service's log" OF_SERVICE},
};

static const struct job_errors_row *job_errors_find(enum fault fault)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].fault == fault)
            return &ROWS[i];
    }
    return &ROWS[sizeof ROWS / sizeof *ROWS - 1];
}

static void job_errors_add(struct str *out, const char *code, const char *text, const char *reason, const char *reference)
{
    str_printf(out, "{\"code\":\"%s\",\"msg\":\"%s%s\",\"callStack\":\"%s\"}", code, text, reason, reference);
}

void job_errors_write(enum fault fault, const char *reference, struct str *out)
{
    const struct job_errors_row *row = job_errors_find(fault);
    str_append_char(out, '[');
    if (strcmp(row->code, CODE_OUTPUT) == 0) {
        job_errors_add(out, CODE_OUTPUT, "Writing the output failed: ", row->reason, reference);
        str_append_char(out, ',');
        job_errors_add(out, CODE_EXPORT, "The export failed: ", "its output could not be written", reference);
    } else {
        job_errors_add(out, row->code, "The export failed: ", row->reason, reference);
    }
    str_append_char(out, ']');
}

/* How work ended whose workers all ended before it did. */
static void job_errors_tell_killed(int attempts, const char *last_fault, struct str *out)
{
    str_printf(out, "None of %d attempts came to an end: the last worker crashed, was killed or stood still", attempts);
    if (last_fault[0] != '\0')
        str_printf(out, "; an attempt before told %s", last_fault);
    str_append_text(out, " (the service's; it is not tried again)");
}

void job_errors_write_killed(int attempts, const char *last_fault, const char *reference, struct str *out)
{
    str_append_text(out, "[{\"code\":\"" CODE_UNKNOWN "\",\"msg\":\"");
    job_errors_tell_killed(attempts, last_fault, out);
    str_printf(out, "\",\"callStack\":\"%s\"}]", reference);
}

void job_errors_write_load(enum fault fault, struct str *out)
{
    const struct job_errors_row *row = job_errors_find(fault);
    str_printf(out, "[{\"code\":\"%s\",\"description\":\"%s\"}]", row->load_code, row->load_reason);
}

void job_errors_write_load_killed(int attempts, const char *last_fault, struct str *out)
{
    str_append_text(out, "[{\"code\":\"" CODE_UNKNOWN "\",\"description\":\"");
    job_errors_tell_killed(attempts, last_fault, out);
    str_append_text(out, "\"}]");
}
