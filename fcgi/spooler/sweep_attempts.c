/*
 * sweep_attempts: what attempts that died have left of their work: directories, lake/tmp/<attempt>, and uploads to an object
 * store that nobody ends. Caller: sweep.
 */
#include <stdio.h>

#include "core/ident.h"
#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "spooler/lake_store.h"
#include "spooler/sweep_step.h"

static enum fault sweep_attempt_live(void *sweep, const char *attempt, bool *live)
{
    const char *params[] = {attempt};
    return sweep_ask(sweep, 0, &STMT_ATTEMPT_LIVE, params, live, NULL);
}

static enum fault sweep_attempt(struct sweep *s, const char *parent, const char *name, void *arg)
{
    char path[LAKE_PATH_MAX];
    bool live;
    (void)parent;
    (void)arg;
    if (!ident_is_uuid(name) || lake_work_path(path, conf_text(CONF_LAKE_DIR), name) != FAULT_NONE)
        return FAULT_NONE; /* not ours */
    enum fault fault = sweep_attempt_live(s, name, &live);
    if (fault == FAULT_NONE && !live)
        sweep_remove(s, path);
    return fault;
}

enum fault sweep_attempts(struct sweep *s)
{
    char path[LAKE_PATH_MAX];
    if (snprintf(path, sizeof path, "%s/tmp", conf_text(CONF_LAKE_DIR)) >= (int)sizeof path)
        return FAULT_INTERNAL;
    return sweep_each(s, path, sweep_attempt, NULL);
}

enum fault sweep_uploads(struct sweep *s)
{
    enum fault fault = lake_store()->end_unfinished(sweep_attempt_live, s, &s->removed);
    return fault == FAULT_NOT_READY || fault == FAULT_STORE ? FAULT_NONE : fault; /* logged; the other steps go on */
}
