/*
 * sweep_attempts: work directories of attempts that died, lake/tmp/<attempt>. Caller: sweep.
 */
#include <stdio.h>

#include "core/ident.h"
#include "core/lake.h"
#include "core/stmt_spooler.h"
#include "lib/conf.h"
#include "spooler/sweep_step.h"

static enum fault sweep_attempt(struct sweep *s, const char *parent, const char *name, void *arg)
{
    char path[LAKE_PATH_MAX];
    const char *params[] = {name};
    bool live;
    (void)parent;
    (void)arg;
    if (!ident_is_uuid(name) || lake_work_path(path, conf_text(CONF_LAKE_DIR), name) != FAULT_NONE)
        return FAULT_NONE; /* not ours */
    enum fault fault = sweep_ask(s, 0, &STMT_ATTEMPT_LIVE, params, &live, NULL);
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
