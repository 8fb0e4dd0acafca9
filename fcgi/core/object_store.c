/*
 * object_store: settings of a lake in an object store. See object_store.h.
 */
#include "core/object_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/secret_file.h"

#define STORE_SCHEME "s3://"
#define STORE_SECURE "https://"
#define STORE_PLAIN "http://"
#define STORE_FILE_MAX 4096
#define STORE_LOWER "abcdefghijklmnopqrstuvwxyz"
#define STORE_DIGITS "0123456789"
#define STORE_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define STORE_BUCKET_LEAST 3u
#define STORE_BUCKET_MOST 63u

static struct object_store the_store;
static bool used;

static enum fault store_refuse(enum conf_key key, const char *reason)
{
    log_event(LOG_ERROR, "object_store", "setting=%s reason=\"%s\"", conf_name(key), reason);
    return FAULT_MALFORMED;
}

/* Whether it is made of these characters, and of some. */
static bool store_made_of(const char *text, const char *set)
{
    return *text != '\0' && text[strspn(text, set)] == '\0';
}

/* ---- s3://bucket/prefix ---- */

/* Whether each part between slashes is plain: characters that need no encoding in a path, neither "." nor "..". */
static bool store_prefix_good(const char *text)
{
    for (const char *part = text; *part != '\0';) {
        size_t length = strcspn(part, "/");
        bool dots = strspn(part, ".") == length;
        if (length == 0 || dots || strspn(part, STORE_LOWER STORE_UPPER STORE_DIGITS "._-") < length)
            return false;
        part += length + (part[length] == '/');
    }
    return true;
}

static bool store_read_url(struct object_store *s, const char *url)
{
    if (strncmp(url, STORE_SCHEME, sizeof STORE_SCHEME - 1) != 0 || strlen(url) > OBJECT_STORE_TEXT_MAX - 8)
        return false;
    url += sizeof STORE_SCHEME - 1;
    size_t length = strcspn(url, "/");
    const char *rest = url[length] == '/' ? url + length + 1 : "";
    if (length < STORE_BUCKET_LEAST || length > STORE_BUCKET_MOST || !store_prefix_good(rest))
        return false;
    snprintf(s->bucket, sizeof s->bucket, "/%.*s", (int)length, url);
    size_t end = strlen(rest);
    snprintf(s->prefix, sizeof s->prefix, "%s%s", rest, end > 0 && rest[end - 1] != '/' ? "/" : "");
    return store_made_of(s->bucket + 1, STORE_LOWER STORE_DIGITS ".-");
}

/* ---- where it is ---- */

static bool store_loopback(const char *host)
{
    static const char *const NAMES[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        size_t length = strlen(NAMES[i]);
        if (strncmp(host, NAMES[i], length) == 0 && (host[length] == ':' || host[length] == '\0'))
            return true;
    }
    return false;
}

/* SECURITY: what goes over a network is encrypted. */
static bool store_read_endpoint(struct object_store *s, const char *endpoint, const char *region)
{
    bool secure = strncmp(endpoint, STORE_SECURE, sizeof STORE_SECURE - 1) == 0;
    bool plain = strncmp(endpoint, STORE_PLAIN, sizeof STORE_PLAIN - 1) == 0;
    int length = *endpoint == '\0' ? snprintf(s->origin, sizeof s->origin, STORE_SECURE "s3.%s.amazonaws.com", region)
                                   : snprintf(s->origin, sizeof s->origin, "%s", endpoint);
    if (length < 0 || length >= (int)sizeof s->origin / 2)
        return false;
    s->host = s->origin + (plain ? sizeof STORE_PLAIN - 1 : sizeof STORE_SECURE - 1);
    const char *port = plain ? ":80" : ":443"; /* which neither libcurl nor nginx says in the header Host, which is signed */
    size_t before = (size_t)length - strlen(port);
    if (strlen(s->host) > strlen(port) && strcmp(s->origin + before, port) == 0)
        s->origin[before] = '\0';
    return (*endpoint == '\0' || secure || (plain && store_loopback(s->host))) &&
           store_made_of(s->host, STORE_LOWER STORE_DIGITS ".-:[]");
}

/* ---- credentials ---- */

/* The value of `name = value` when the line is that; copied. False: it does not fit or is there twice. */
static bool store_take_line(const char *line, const char *name, char *out, size_t room)
{
    size_t length = strlen(name);
    line += strspn(line, " \t");
    if (strncmp(line, name, length) != 0)
        return true;
    line += length + strspn(line + length, " \t");
    if (*line != '=')
        return true;
    line += 1 + strspn(line + 1, " \t");
    size_t end = strcspn(line, " \t\r\n");
    if (end == 0 || end >= room || out[0] != '\0')
        return false;
    memcpy(out, line, end);
    out[end] = '\0';
    return true;
}

static enum fault store_read_lines(struct object_store *s, FILE *file)
{
    char line[STORE_FILE_MAX];
    bool good = true;
    while (good && fgets(line, sizeof line, file) != NULL)
        good = store_take_line(line, "aws_access_key_id", s->access, sizeof s->access) &&
               store_take_line(line, "aws_secret_access_key", s->secret, sizeof s->secret) &&
               store_take_line(line, "aws_session_token", s->token, sizeof s->token);
    explicit_bzero(line, sizeof line);
    good = good && s->access[0] != '\0' && s->secret[0] != '\0' &&
           store_made_of(s->access, STORE_LOWER STORE_UPPER STORE_DIGITS "_-.+=@:") &&
           (s->token[0] == '\0' || store_made_of(s->token, STORE_LOWER STORE_UPPER STORE_DIGITS "_-.+=/"));
    return good ? FAULT_NONE
                : store_refuse(CONF_LAKE_CREDENTIALS, "aws_access_key_id, aws_secret_access_key and perhaps aws_session_token expected, once each");
}

static enum fault store_read_credentials(struct object_store *s, const char *path)
{
    const char *reason;
    FILE *file = secret_file_open(path, STORE_FILE_MAX, &reason);
    if (file == NULL)
        return store_refuse(CONF_LAKE_CREDENTIALS, reason);
    enum fault fault = store_read_lines(s, file);
    fclose(file);
    return fault;
}

enum fault object_store_read(struct object_store *s, const char *url, const char *endpoint, const char *region,
                             const char *credentials, const char *ca_file)
{
    *s = (struct object_store){.region = region, .ca_file = ca_file};
    if (!store_read_url(s, url))
        return store_refuse(CONF_LAKE_URL, "s3://BUCKET or s3://BUCKET/PREFIX expected, of letters, digits and . _ -");
    if (strlen(region) > 63 || !store_made_of(region, STORE_LOWER STORE_DIGITS "-"))
        return store_refuse(CONF_LAKE_REGION, "the name of a region expected");
    if (!store_read_endpoint(s, endpoint, region))
        return store_refuse(CONF_LAKE_ENDPOINT, "https://HOST[:PORT] expected, or http:// on 127.0.0.1, [::1] or localhost");
    if (*ca_file != '\0' && access(ca_file, R_OK) != 0)
        return store_refuse(CONF_LAKE_CA_FILE, strerror(errno));
    return store_read_credentials(s, credentials);
}

enum fault object_store_open(void)
{
    const char *url = conf_text(CONF_LAKE_URL);
    used = false;
    if (*url == '\0')
        return FAULT_NONE;
    enum fault fault = object_store_read(&the_store, url, conf_text(CONF_LAKE_ENDPOINT), conf_text(CONF_LAKE_REGION),
                                         conf_text(CONF_LAKE_CREDENTIALS), conf_text(CONF_LAKE_CA_FILE));
    used = fault == FAULT_NONE;
    return fault;
}

const struct object_store *object_store(void)
{
    return used ? &the_store : NULL;
}

enum fault object_store_sign(const struct object_store *s, const char *method, const char *relative, int64_t wall_ms,
                             struct object_store_pass *out)
{
    struct sigv4_key key = {.access = s->access, .secret = s->secret, .region = s->region, .service = "s3"};
    struct sigv4_request request = {.method = method,
                                    .host = s->host,
                                    .path = out->path,
                                    .query = "",
                                    .body_sha256 = SIGV4_EMPTY,
                                    .date = out->date,
                                    .token = s->token};
    out->token = s->token;
    int length = snprintf(out->path, sizeof out->path, "%s/%s%s", s->bucket, s->prefix, relative);
    if (length < 0 || length >= (int)sizeof out->path)
        return FAULT_INTERNAL;
    sigv4_date(wall_ms, out->date);
    return sigv4_authorization(&key, &request, out->authorization);
}
