/*
 * db_hosts: the servers of a connection string, and which of them to try next. See db_hosts.h.
 */
#include "lib/db_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/invariant.h"
#include "lib/log.h"

#define DB_HOSTS_SILENT_PART 8 /* of a whole wait, for a host that did not answer last time */
#define DB_HOSTS_SILENT_MOST 2 /* of its equal part of a whole wait, for one that never does */

/* The three lists of a string: where a host is, and which member of struct db_host holds it. */
enum { LIST_HOST, LIST_ADDRESS, LIST_PORT, LIST_COUNT };
static const char *const LISTS[LIST_COUNT] = {"host", "hostaddr", "port"};

static const char *db_hosts_setting(const PQconninfoOption *settings, const char *keyword)
{
    for (const PQconninfoOption *s = settings; s->keyword != NULL; s++) {
        if (strcmp(s->keyword, keyword) == 0)
            return s->val == NULL ? "" : s->val;
    }
    return "";
}

/* How many elements a list has; an empty text is no list. */
static int db_hosts_elements(const char *list)
{
    int n = *list != '\0';
    for (const char *p = list; *p != '\0'; p++)
        n += *p == ',';
    return n;
}

static void db_hosts_put(struct db_host *host, int list, const char *text)
{
    const char **places[LIST_COUNT] = {&host->name, &host->address, &host->port};
    *places[list] = *text == '\0' ? NULL : text;
}

/* Cuts a list at its commas, in place, and hands the elements to the hosts; a single port is everybody's. */
static void db_hosts_cut(struct db_hosts *h, int list, char *text)
{
    int elements = db_hosts_elements(text);
    for (int i = 0; i < h->count && elements > 0; i++) {
        size_t length = strcspn(text, ",");
        bool more = text[length] == ',';
        text[length] = '\0';
        db_hosts_put(&h->host[i], list, text);
        if (more)
            text += length + 1;
    }
}

/* The hosts of the settings. Null: they fit together; else what does not. */
static const char *db_hosts_split(struct db_hosts *h)
{
    const char *list[LIST_COUNT];
    int n[LIST_COUNT];
    size_t bytes = 0;
    for (int i = 0; i < LIST_COUNT; i++) {
        list[i] = db_hosts_setting(h->settings, LISTS[i]);
        n[i] = db_hosts_elements(list[i]);
        bytes += strlen(list[i]) + 1;
    }
    h->count = n[LIST_ADDRESS] > 0 ? n[LIST_ADDRESS] : n[LIST_HOST] > 0 ? n[LIST_HOST] : 1;
    if (h->count > DB_HOSTS_MAX)
        return "too many hosts";
    if (n[LIST_ADDRESS] > 0 && n[LIST_HOST] > 0 && n[LIST_ADDRESS] != n[LIST_HOST])
        return "not as many host addresses as hosts";
    if (n[LIST_PORT] > 1 && n[LIST_PORT] != h->count)
        return "not as many ports as hosts";
    char *at = h->texts = malloc(bytes);
    if (at == NULL)
        return "no memory";
    for (int i = 0; i < LIST_COUNT; i++) {
        size_t size = strlen(list[i]) + 1;
        memcpy(at, list[i], size);
        db_hosts_cut(h, i, at);
        at += size;
    }
    return NULL;
}

enum fault db_hosts_read(struct db_hosts *h, const char *conninfo)
{
    *h = (struct db_hosts){0};
    h->settings = PQconninfoParse(conninfo, NULL);
    const char *reason = h->settings == NULL ? "not a connection string" : db_hosts_split(h);
    if (reason == NULL)
        return FAULT_NONE;
    log_event(LOG_ERROR, "database", "what=setting reason=\"%s\"", reason);
    db_hosts_free(h);
    return FAULT_MALFORMED;
}

void db_hosts_free(struct db_hosts *h)
{
    if (h->settings != NULL)
        PQconninfoFree(h->settings);
    free(h->texts);
    *h = (struct db_hosts){0};
}

static bool db_hosts_open(const struct db_hosts *h, int host, uint32_t tried, int64_t now_ms)
{
    return (tried & (UINT32_C(1) << host)) == 0 && h->host[host].refuse_until_ms <= now_ms;
}

int db_hosts_next(const struct db_hosts *h, uint32_t tried, int64_t now_ms)
{
    int silent = -1;
    for (int i = 0; i < h->count; i++) {
        int host = (h->good + i) % h->count;
        if (!db_hosts_open(h, host, tried, now_ms))
            continue;
        if (h->host[host].silences == 0)
            return host;
        if (silent < 0)
            silent = host;
    }
    return silent;
}

/* See db_hosts_slice(). */
static int64_t db_hosts_silent_ms(const struct db_hosts *h, int silences, int64_t whole_ms)
{
    int64_t slice_ms = whole_ms / DB_HOSTS_SILENT_PART, most_ms = whole_ms / DB_HOSTS_SILENT_MOST / h->count;
    for (; silences > 1 && slice_ms < most_ms; silences--)
        slice_ms = slice_ms * 2 < most_ms ? slice_ms * 2 : most_ms;
    return slice_ms;
}

int64_t db_hosts_slice(const struct db_hosts *h, int next, uint32_t tried, int64_t now_ms, int64_t left_ms,
                       int64_t whole_ms)
{
    if (h->host[next].silences > 0) {
        int64_t slice_ms = db_hosts_silent_ms(h, h->host[next].silences, whole_ms);
        return left_ms < slice_ms ? left_ms : slice_ms;
    }
    int waiting = 0;
    for (int i = 0; i < h->count; i++)
        waiting += db_hosts_open(h, i, tried, now_ms) && h->host[i].silences == 0;
    return left_ms / (waiting > 0 ? waiting : 1);
}

void db_hosts_settings(const struct db_hosts *h, int host, const char *keys[DB_HOSTS_SETTINGS_MAX],
                       const char *values[DB_HOSTS_SETTINGS_MAX])
{
    const struct db_host *one = &h->host[host];
    const char *const own[LIST_COUNT] = {one->name, one->address, one->port};
    int n = 0;
    for (const PQconninfoOption *s = h->settings; s->keyword != NULL; s++) {
        bool chooses = strcmp(s->keyword, "target_session_attrs") == 0;
        for (int i = 0; i < LIST_COUNT; i++)
            chooses = chooses || strcmp(s->keyword, LISTS[i]) == 0;
        if (chooses || s->val == NULL)
            continue;
        INVARIANT(n + LIST_COUNT + 1 < DB_HOSTS_SETTINGS_MAX);
        keys[n] = s->keyword;
        values[n++] = s->val;
    }
    for (int i = 0; i < LIST_COUNT; i++) {
        keys[n] = LISTS[i];
        values[n] = own[i];
        n += own[i] != NULL;
    }
    keys[n] = values[n] = NULL;
}

const char *db_hosts_name(const struct db_hosts *h, int host)
{
    const struct db_host *one = &h->host[host];
    return host >= h->count ? "-" : one->name != NULL ? one->name : one->address != NULL ? one->address : "local";
}
