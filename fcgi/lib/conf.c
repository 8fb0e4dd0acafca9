/*
 * conf: the table of settings and the reader of the settings file. See conf.h.
 */
#include "lib/conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/invariant.h"
#include "lib/log.h"

#define CONF_COMMENT_WIDTH 100

struct conf_row {
    const char *name;
    const char *fallback; /* the default, as text */
    const char *unit;     /* "" for text */
    int64_t least, most;  /* of a number; both 0: the setting is text */
    const char *meaning;
};

static const struct conf_row TABLE[CONF_COUNT] = {
    [CONF_DATABASE_API] = {"database.api", "", "", 0, 0, "libpq connection string of the pool, role consign_api"},
    [CONF_DATABASE_SPOOLER] = {"database.spooler", "", "", 0, 0, "libpq connection string of the spooler, role consign_spooler"},
    [CONF_DATABASE_SENDER] = {"database.sender", "", "", 0, 0, "libpq connection string of the process that sends webhooks, role consign_sender; needed with webhook.hosts"},
    [CONF_DATABASE_OPERATOR] = {"database.operator", "", "", 0, 0, "libpq connection string of consignctl: a superuser, or the owner of the database with CREATEROLE"},
    [CONF_PUBLIC_URL] = {"public.url", "http://127.0.0.1:18080", "", 0, 0, "where clients reach the service; absolute links and the token issuer are built from it"},
    [CONF_API_SOCKET] = {"api.socket", "/run/consign/api.sock", "", 0, 0, "unix socket on which the pool listens for nginx, made with mode 0660; its folder belongs to api.user and is 0750 or less"},
    [CONF_API_USER] = {"api.user", "consign", "", 0, 0, "user the pool becomes when it is started as root"},
    [CONF_API_WORKERS] = {"api.workers", "0", "processes", 0, 512, "requests that the pool serves at the same time; 0: four a core, 64 at most"},
    [CONF_API_ORG_WORKERS] = {"api.org_workers", "0", "processes", 0, 512, "workers that requests of one org, or of one client, may hold at the same time while others ask too; what is over waits a moment and is then 429; 0: all but a quarter"},
    [CONF_API_ORG_RATE] = {"api.org_rate", "0", "requests/s", 0, 1000000, "requests a second of one org while others ask too, those that it is refused included; what is over is 429 or the refusal that it is anyway, handed out over one to four seconds; 0: 500 a core"},
    [CONF_API_REQUEST_SECONDS] = {"api.request_seconds", "10", "s", 2, 300, "a worker that spends longer on one request without progress is ended and replaced"},
    [CONF_API_DATABASE_MS] = {"api.database_ms", "4000", "ms", 100, 60000, "longest that a request waits for the database, connecting included; then 503"},
    [CONF_API_QUEUE_MS] = {"api.queue_ms", "2500", "ms", 100, 60000, "a request that waited longer for a worker is answered 503 at once; what it waited is taken from api.database_ms, so that no answer takes longer than that, but for half a second's wait for a tenant's place (api.org_workers)"},
    [CONF_API_SCOPE_CACHE_MS] = {"api.scope_cache_ms", "1000", "ms", 0, 1000, "how long after the registry was last asked the pool takes it for unchanged; a disabled client works no longer than this"},
    [CONF_SPOOLER_USER] = {"spooler.user", "consign", "", 0, 0, "user the spooler becomes when it is started as root"},
    [CONF_SPOOLER_WORKERS] = {"spooler.workers", "2", "processes", 1, 256, "exports and loads that run at the same time"},
    [CONF_SPOOLER_POLL_MS] = {"spooler.poll_ms", "25", "ms", 10, 60000, "how often an idle worker looks for work"},
    [CONF_SPOOLER_SWEEP_MS] = {"spooler.sweep_ms", "30000", "ms", 500, 3600000, "how often one worker of all hosts looks for files, batches, jobs and idempotency keys that nobody will ask for again"},
    [CONF_SPOOLER_ATTEMPTS] = {"spooler.attempts", "3", "", 1, 100, "attempts after which work that does not succeed is failed"},
    [CONF_SPOOLER_RETRY_MS] = {"spooler.retry_ms", "5000", "ms", 10, 3600000, "least pause before work that failed is tried again; older work waits as long as it is old, ten minutes at most"},
    [CONF_SPOOLER_EXPRESS] = {"spooler.express", "1", "processes", 0, 64, "further workers that take work only of orgs for which nothing runs, so that long work of a few never holds everybody up"},
    [CONF_SPOOLER_SILENCE_MS] = {"spooler.silence_ms", "60000", "ms", 2000, 3600000, "a worker whose sessions say nothing for so long is ended by the database, and its work taken over"},
    [CONF_SPOOLER_GRACE_MS] = {"spooler.grace_ms", "60000", "ms", 0, 86400000, "how long a worker that is replaced in a reload goes on with its work before it hands it on"},
    [CONF_JOBS_KEEP_DAYS] = {"jobs.keep_days", "90", "days", 1, 36500, "finished export jobs that are older go from the lists into the archive; batches are forgotten so long after they expired"},
    [CONF_KEYS_DIR] = {"keys.dir", "/var/lib/consign/keys", "", 0, 0, "the signing key of the token endpoint, made at the first start"},
    [CONF_INBOX_DIR] = {"inbox.dir", "/var/lib/consign/inbox", "", 0, 0, "uploaded files until they are loaded"},
    [CONF_INBOX_OPEN_DAYS] = {"inbox.open_days", "7", "days", 1, 36500, "an open batch to which no file came for so long is aborted, and its files are removed"},
    [CONF_LAKE_DIR] = {"lake.dir", "/var/lib/consign/lake", "", 0, 0, "published batches, read by nginx; with lake.url only what attempts are writing"},
    [CONF_LAKE_URL] = {"lake.url", "", "", 0, 0, "s3://BUCKET/PREFIX: batches are published to that object store instead; README, Object store"},
    [CONF_LAKE_ENDPOINT] = {"lake.endpoint", "", "", 0, 0, "where that store is, https://HOST[:PORT], or http on loopback; empty: Amazon S3 in lake.region"},
    [CONF_LAKE_REGION] = {"lake.region", "us-east-1", "", 0, 0, "region that requests to it are signed for"},
    [CONF_LAKE_CREDENTIALS] = {"lake.credentials", "", "", 0, 0, "file, mode 0600, with lines aws_access_key_id = KEY and aws_secret_access_key = SECRET, and aws_session_token = TOKEN for temporary ones"},
    [CONF_LAKE_CA_FILE] = {"lake.ca_file", "", "", 0, 0, "file of certificates to trust for that store instead of the system's, in PEM form; nginx has its own line for it"},
    [CONF_LAKE_PART_BYTES] = {"lake.part_bytes", "16777216", "bytes", 5242880, INT64_C(1) << 32, "a larger file goes to it in parts of so many bytes"},
    [CONF_TOKEN_AUDIENCE] = {"token.audience", "consign", "", 0, 0, "audience of the tokens that the token endpoint makes and the pool accepts"},
    [CONF_TOKEN_ISSUERS] = {"token.issuers", "", "", 0, 0, "file that names further token issuers, one a line: NAME rfc9068 or ims, AUDIENCE (or -), /FILE with its JSON Web Key Set"},
    [CONF_TOKEN_LIFETIME_S] = {"token.lifetime_s", "86400", "s", 60, 604800, "lifetime of a token made by the token endpoint"},
    [CONF_EXPORT_PART_BYTES] = {"export.part_bytes", "268435456", "bytes", 65536, INT64_C(1) << 40, "compressed size at which an export begins the next part file"},
    [CONF_EXPORT_MEMORY_BYTES] = {"export.memory_bytes", "12582912", "bytes", 1048576, 1073741824, "about what a worker holds of rows that are not written yet; bounds the row groups of Parquet files"},
    [CONF_EXPORT_SHARE_PROFILES] = {"export.share_profiles", "25000", "profiles", 10, 1000000000, "an export of more profiles is cut into ranges of about so many, which workers without other work help to write"},
    [CONF_INGEST_RECORD_BYTES] = {"ingest.record_bytes", "1048576", "bytes", 1024, 16777216, "largest record that is taken"},
    [CONF_INGEST_ERRORS_KEPT] = {"ingest.errors_kept", "1000", "records", 0, 100000, "refused records of a batch that are kept with their reason"},
    [CONF_INGEST_FILE_BYTES] = {"ingest.file_bytes", "17179869184", "bytes", 65536, INT64_C(1) << 44, "longest file of a batch that is taken, decompressed"},
    [CONF_WEBHOOK_HOSTS] = {"webhook.hosts", "", "", 0, 0, "where webhooks may be sent: HOST, HOST:PORT or HOST=NETWORK, with commas between (README, Webhooks); none: no webhook is sent, and no process runs for it"},
    [CONF_WEBHOOK_KEEP_HOURS] = {"webhook.keep_hours", "72", "h", 1, 8760, "how long an event is tried that its endpoint does not take, and how long one that was taken or given up is kept"},
    [CONF_WEBHOOK_CA_FILE] = {"webhook.ca_file", "", "", 0, 0, "file with the certificates that endpoints' certificates must lead to, in PEM; none: those of the system"},
    [CONF_LOG_LEVEL] = {"log.level", "info", "", 0, 0, "error, warn, info or debug"},
    [CONF_LOG_FORMAT] = {"log.format", "logfmt", "", 0, 0, "logfmt (key=value) or json: a line of the log of either program as an object of JSON"},
};

static char *given[CONF_COUNT];
static int64_t numbers[CONF_COUNT];

static enum fault conf_refuse(const char *path, int line, const char *key, const char *rule)
{
    fprintf(stderr, "%s:%d: %s: %s\n", path, line, key, rule);
    return FAULT_MALFORMED;
}

static int conf_find(const char *name)
{
    for (int i = 0; i < CONF_COUNT; i++) {
        if (strcmp(TABLE[i].name, name) == 0)
            return i;
    }
    return -1;
}

static bool conf_is_number(int key)
{
    return TABLE[key].most > 0;
}

/* Parses a decimal number within the row's bounds. */
static bool conf_parse_number(int key, const char *text)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (!isdigit((unsigned char)*text) || errno != 0 || end == text || *end != '\0' || n < TABLE[key].least || n > TABLE[key].most)
        return false;
    numbers[key] = n;
    return true;
}

static char *conf_trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t length = strlen(s);
    while (length > 0 && isspace((unsigned char)s[length - 1]))
        s[--length] = '\0';
    return s;
}

/* Whether a text may stand in a header as it is. */
static bool conf_is_plain(const char *text)
{
    bool plain = *text != '\0';
    for (const char *p = text; *p != '\0'; p++)
        plain = plain && *p > 0x20 && *p < 0x7f && *p != '"' && *p != '\\';
    return plain;
}

static enum fault conf_line(const char *path, int number, char *line)
{
    char *text = conf_trim(line);
    if (*text == '\0' || *text == '#')
        return FAULT_NONE;
    char *equals = strchr(text, '=');
    if (equals == NULL)
        return conf_refuse(path, number, text, "expected key = value");
    *equals = '\0';
    char *name = conf_trim(text), *value = conf_trim(equals + 1);
    int key = conf_find(name);
    if (key < 0)
        return conf_refuse(path, number, name, "unknown setting");
    if (given[key] != NULL)
        return conf_refuse(path, number, name, "given twice");
    if ((key == CONF_PUBLIC_URL || key == CONF_TOKEN_AUDIENCE) && !conf_is_plain(value))
        return conf_refuse(path, number, name, "printable ASCII without blanks, quotes and backslashes expected");
    if (key == CONF_LOG_LEVEL && !log_level_known(value))
        return conf_refuse(path, number, name, "error, warn, info or debug expected");
    if (key == CONF_LOG_FORMAT && strcmp(value, "logfmt") != 0 && strcmp(value, "json") != 0)
        return conf_refuse(path, number, name, "logfmt or json expected");
    if (conf_is_number(key) && !conf_parse_number(key, value)) {
        fprintf(stderr, "%s:%d: %s: a whole number from %" PRId64 " to %" PRId64 " expected\n", path, number, name,
                TABLE[key].least, TABLE[key].most);
        return FAULT_MALFORMED;
    }
    given[key] = strdup(value);
    return given[key] == NULL ? FAULT_MEMORY : FAULT_NONE;
}

enum fault conf_load(const char *path)
{
    for (int i = 0; i < CONF_COUNT; i++) {
        if (conf_is_number(i))
            INVARIANT(conf_parse_number(i, TABLE[i].fallback));
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return FAULT_MALFORMED;
    }
    char *line = NULL;
    size_t size = 0;
    enum fault fault = FAULT_NONE;
    for (int number = 1; fault == FAULT_NONE && getline(&line, &size, file) >= 0; number++)
        fault = conf_line(path, number, line);
    if (fault == FAULT_NONE && ferror(file)) /* a directory opens, but does not read */
        fault = conf_refuse(path, 0, "cannot be read", strerror(errno));
    free(line);
    fclose(file);
    return fault;
}

const char *conf_text(enum conf_key key)
{
    INVARIANT(!conf_is_number((int)key));
    return given[key] != NULL ? given[key] : TABLE[key].fallback;
}

int64_t conf_number(enum conf_key key)
{
    INVARIANT(conf_is_number((int)key));
    return numbers[key];
}

const char *conf_name(enum conf_key key)
{
    return TABLE[key].name;
}

bool conf_refused(enum conf_key key)
{
    log_event(LOG_ERROR, "check", "setting=%s reason=\"can't be used, the line before says why\"", TABLE[key].name);
    return false;
}

void conf_print_table(FILE *out)
{
    fprintf(out, "| setting | default | unit | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < CONF_COUNT; i++)
        fprintf(out, "| `%s` | %s%s%s | %s | %s |\n", TABLE[i].name, *TABLE[i].fallback ? "`" : "", TABLE[i].fallback,
                *TABLE[i].fallback ? "`" : "", TABLE[i].unit, TABLE[i].meaning);
}

/* A text as comment lines of at most 100 characters. */
static void conf_print_comment(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t length = strlen(text), end = length;
        if (end > CONF_COMMENT_WIDTH) {
            for (end = CONF_COMMENT_WIDTH; end > 0 && text[end] != ' ';)
                end--;
            if (end == 0)
                end = length;
        }
        fprintf(out, "# %.*s\n", (int)end, text);
        text += end;
        text += strspn(text, " ");
    }
}

void conf_print_file(FILE *out)
{
    fputs("# Settings of consign: key = value. Every setting stands here with its default; take the # away to change one.\n", out);
    for (int i = 0; i < CONF_COUNT; i++) {
        char text[1024];
        int length = snprintf(text, sizeof text, "%s%s%s%s", TABLE[i].meaning, *TABLE[i].unit ? " (" : "", TABLE[i].unit,
                              *TABLE[i].unit ? ")" : "");
        INVARIANT(length > 0 && length < (int)sizeof text);
        fputc('\n', out);
        conf_print_comment(out, text);
        fprintf(out, "#%s =%s%s\n", TABLE[i].name, *TABLE[i].fallback ? " " : "", TABLE[i].fallback);
    }
}
