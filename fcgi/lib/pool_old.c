/*
 * pool_old: workers taken over from the program before. See pool_old.h.
 */
#include "lib/pool_old.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/log.h"

void pool_old_free(struct pool_old *list)
{
    free(list->worker);
    *list = (struct pool_old){0};
}

bool pool_old_add(struct pool_old *list, pid_t pid, enum pool_stage stage, int64_t since_ms)
{
    if (list->worker == NULL)
        list->worker = calloc(POOL_OLD_MAX, sizeof *list->worker);
    if (list->worker == NULL || list->count == POOL_OLD_MAX)
        return false;
    list->worker[list->count++] = (struct pool_old_worker){pid, stage, since_ms};
    return true;
}

bool pool_old_forget(struct pool_old *list, pid_t pid)
{
    for (int i = 0; i < list->count; i++) {
        if (list->worker[i].pid != pid)
            continue;
        list->count--;
        memmove(&list->worker[i], &list->worker[i + 1], (size_t)(list->count - i) * sizeof *list->worker);
        return true;
    }
    return false;
}

int pool_old_count(const struct pool_old *list, enum pool_stage stage)
{
    int n = 0;
    for (int i = 0; i < list->count; i++)
        n += list->worker[i].stage == stage;
    return n;
}

static void pool_old_move(struct pool_old_worker *w, enum pool_stage stage, int64_t now_ms)
{
    static const int SIGNALS[] = {[POOL_RETIRES] = SIGUSR1, [POOL_STOPS] = SIGTERM, [POOL_KILLED] = SIGKILL};
    w->stage = stage;
    w->since_ms = now_ms;
    kill(w->pid, SIGNALS[stage]);
}

int pool_old_retire(struct pool_old *list, int64_t now_ms)
{
    int n = 0;
    for (int i = 0; i < list->count; i++) {
        if (list->worker[i].stage != POOL_SERVES)
            continue;
        pool_old_move(&list->worker[i], POOL_RETIRES, now_ms);
        n++;
    }
    return n;
}

void pool_old_press(struct pool_old *list, int64_t now_ms, int64_t retire_ms, int64_t grace_ms, int most)
{
    int excess = pool_old_count(list, POOL_RETIRES) - most;
    for (int i = 0; i < list->count; i++) {
        struct pool_old_worker *w = &list->worker[i];
        int64_t passed_ms = now_ms - w->since_ms;
        if (w->stage == POOL_RETIRES && (excess > 0 || passed_ms >= retire_ms)) {
            excess--;
            log_event(LOG_INFO, "retired_stopped", "worker=%d after_ms=%lld", (int)w->pid, (long long)passed_ms);
            pool_old_move(w, POOL_STOPS, now_ms);
        } else if (w->stage == POOL_STOPS && passed_ms >= grace_ms) {
            log_event(LOG_WARN, "retired_killed", "worker=%d after_ms=%lld", (int)w->pid, (long long)passed_ms);
            pool_old_move(w, POOL_KILLED, now_ms);
        }
    }
}

void pool_old_signal(const struct pool_old *list, int signal_number)
{
    for (int i = 0; i < list->count; i++)
        kill(list->worker[i].pid, signal_number);
}

void pool_old_write(const struct pool_old *list, struct str *out)
{
    for (int i = 0; i < list->count; i++)
        str_printf(out, ";%d:%d:%lld", (int)list->worker[i].pid, (int)list->worker[i].stage,
                   (long long)list->worker[i].since_ms);
}

/* A decimal number without sign and its terminator, which is passed over. */
static bool pool_old_number(const char **text, char terminator, int64_t most, int64_t *out)
{
    size_t digits = strspn(*text, "0123456789");
    *out = digits > 0 && digits <= 15 ? strtoll(*text, NULL, 10) : -1;
    if (*out < 0 || *out > most || (*text)[digits] != terminator)
        return false;
    *text += digits + (terminator != '\0');
    return true;
}

/* SECURITY: a pid from a text is signalled only when it is a child; a number that somebody else has by now is not. */
static bool pool_old_is_child(pid_t pid)
{
    siginfo_t info;
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

bool pool_old_read(struct pool_old *list, const char *text)
{
    while (*text != '\0') {
        int64_t pid, stage, since_ms;
        bool last = strchr(text + 1, ';') == NULL;
        if (*text++ != ';')
            return false;
        const char *end = text + strcspn(text, ";");
        if (!pool_old_number(&text, ':', INT32_MAX, &pid) || pid < 2 || !pool_old_number(&text, ':', POOL_KILLED, &stage) ||
            !pool_old_number(&text, last ? '\0' : ';', INT64_MAX, &since_ms) || !pool_old_is_child((pid_t)pid) ||
            !pool_old_add(list, (pid_t)pid, (enum pool_stage)stage, since_ms))
            return false;
        text = end;
    }
    return true;
}
