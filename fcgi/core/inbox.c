/*
 * inbox: where uploaded files lie until they are loaded. See inbox.h.
 */
#include "core/inbox.h"

#include <stdio.h>

#include "core/ident.h"
#include "lib/log.h"

static enum fault inbox_refuse(char *out, const char *what)
{
    out[0] = '\0';
    log_event(LOG_ERROR, "inbox_path", "reason=%s", what);
    return FAULT_INTERNAL;
}

enum fault inbox_batch_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox, const char *batch)
{
    if (org <= 0 || sandbox <= 0 || !ident_is_hex(batch, IDENT_BATCH_DIGITS))
        return inbox_refuse(out, "id");
    int length = snprintf(out, INBOX_PATH_MAX, "%s/%d/%d/%s", root, org, sandbox, batch);
    return length > 0 && length < INBOX_PATH_MAX ? FAULT_NONE : inbox_refuse(out, "length");
}

enum fault inbox_file_path(char out[INBOX_PATH_MAX], const char *root, int org, int sandbox, const char *batch,
                           const char *object)
{
    if (org <= 0 || sandbox <= 0 || !ident_is_hex(batch, IDENT_BATCH_DIGITS) || !ident_is_uuid(object))
        return inbox_refuse(out, "id");
    int length = snprintf(out, INBOX_PATH_MAX, "%s/%d/%d/%s/%s", root, org, sandbox, batch, object);
    return length > 0 && length < INBOX_PATH_MAX ? FAULT_NONE : inbox_refuse(out, "length");
}
