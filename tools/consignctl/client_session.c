/*
 * client_session: who we are to the service, and calls. See client_session.h.
 */
#include "consignctl/client_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "consignctl/client_problem.h"
#include "consignctl/client_show.h"
#include "consignctl/client_text.h"
#include "lib/clock.h"
#include "lib/crypto.h"

#define SESSION_TOKEN_PATH "/ims/token/v3"
#define SESSION_TOKEN_MAX 8192 /* contract.md section 2 */
#define SESSION_HEADER_MAX 256
#define SESSION_KEY_MAX 255 /* contract.md section 2 */
#define SESSION_MARGIN_MS 60000 /* so long before its end a token is not used any more, or a tenth of its life */
#define SESSION_LIFE_MOST_S 1000000000 /* of a token */
#define SESSION_TIMEOUT_MOST_S 604800
#define SESSION_PROBLEM_BYTES 2048
#define SESSION_DEPTH 64
#define SESSION_BYTES (16u * 1024 * 1024) /* the longest list of jobs that the service sends */
#define SESSION_NODES (1024u * 1024)      /* twice what that has; each takes 90 bytes of memory, and of the text 2 or more */
#define SESSION_NODE_BYTES 16             /* of a long answer; a manifest's values and names take 19 */
#define SESSION_LIMITS ((struct jscan_limits){.depth = SESSION_DEPTH, .bytes = SESSION_BYTES, .nodes = SESSION_NODES})

/* One text of the two; it is kept until it is replaced. */
static const char *session_join(const char *name, const char *value)
{
    char *line = NULL;
    if (asprintf(&line, "%s%s", name, value) < 0)
        client_fail(CLIENT_REFUSED, "no memory");
    return line;
}

void client_session_begin(struct client_session *s, const struct client_args *args)
{
    struct client_profile *who = &s->who;
    const char *cacert = client_args_value(args, "cacert");
    if (client_args_has(args, "insecure-http"))
        who->insecure_http = true;
    if (cacert != NULL) {
        who->cacert = realpath(cacert, NULL);
        if (who->cacert == NULL)
            client_fail(CLIENT_REFUSED, "cannot read %s: %s", cacert, strerror(errno));
    }
    s->place.cacert = who->cacert;
    const char *wrong = client_place_read(who->url, who->insecure_http, &s->place);
    if (wrong != NULL)
        client_fail(CLIENT_USAGE, "%s: %s", who->url, wrong);
    const char *const values[] = {who->org, who->sandbox, who->client_id};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (!client_text_is_header(values[i], SESSION_HEADER_MAX))
            client_fail(CLIENT_USAGE, "%s: org, sandbox and client id are up to 256 printable ASCII characters", values[i]);
    }
    client_patience_begin(&s->patience, clock_monotonic_ms(),
                          client_args_number(args, "timeout", 1, SESSION_TIMEOUT_MOST_S, 0));
}

void client_session_open(struct client_session *s, const struct client_args *args)
{
    const char *profile = client_args_value(args, "profile");
    *s = (struct client_session){0};
    if (profile != NULL || !client_profile_environment(&s->who)) {
        profile = profile == NULL ? "default" : profile;
        if (!client_profile_load(profile, &s->who))
            client_fail(CLIENT_REFUSED, "there is no login %s; consignctl login makes one", profile);
    }
    s->profile = profile;
    client_session_begin(s, args);
}

static void session_set_headers(struct client_session *s)
{
    for (int i = 0; i < CLIENT_SESSION_HEADERS; i++)
        free((char *)s->header[i]);
    s->header[0] = session_join("Authorization: Bearer ", s->who.token);
    s->header[1] = session_join("x-api-key: ", s->who.client_id);
    s->header[2] = session_join("x-gw-ims-org-id: ", s->who.org);
    s->header[3] = session_join("x-sandbox-name: ", s->who.sandbox);
    s->tokens++;
}

void client_session_pause(struct client_session *s, unsigned tries, int64_t retry_after_s, const char *reason)
{
    unsigned random;
    crypto_random((unsigned char *)&random, sizeof random);
    int64_t pause = client_patience_pause(&s->patience, clock_monotonic_ms(), tries, retry_after_s, random);
    if (pause < 0 && retry_after_s > 0)
        client_fail(CLIENT_GAVE_UP, "%s: gave up: %s, and asks to come back after %lld s", s->place.url, reason,
                    (long long)retry_after_s);
    if (pause < 0)
        client_fail(CLIENT_GAVE_UP, "%s: gave up: %s", s->place.url, reason);
    client_show_line("consignctl: %s; trying again in %.1f s", reason, (double)pause / 1000);
    const struct timespec length = {.tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000L};
    nanosleep(&length, NULL);
}

static bool session_again(long status)
{
    return status == 408 || status == 429 || status == 502 || status == 503 || status == 504;
}

/* Sends it until there is an answer that is not to be asked for again. */
static void session_send(struct client_session *s, struct client_request *request, struct client_answer *answer)
{
    char reason[CLIENT_HTTP_REASON_BYTES];
    for (unsigned tries = 0;; tries++) {
        request->most_ms = client_patience_left(&s->patience, clock_monotonic_ms());
        if (request->most_ms <= 0)
            client_fail(CLIENT_GAVE_UP, "%s: gave up: there is no time left", s->place.url);
        enum client_reach reach = client_http_send(&s->place, request, answer, reason);
        if (reach == CLIENT_NEVER)
            client_fail(CLIENT_GAVE_UP, "%s: %s", s->place.url, reason);
        if (reach == CLIENT_REACHED && !session_again(answer->status))
            break;
        if (reach == CLIENT_REACHED)
            client_problem_text(reason, sizeof reason, answer->status, answer->body.data, answer->body.length);
        int64_t retry_after_s = reach == CLIENT_REACHED ? answer->retry_after_s : 0;
        client_http_free(answer);
        client_session_pause(s, tries, retry_after_s, reason);
    }
    client_patience_good(&s->patience, clock_monotonic_ms());
}

/* Reads the answer's body. Ends the program unless the status is a success and the body, if there is one, JSON. */
static void session_read(struct client_answer *answer, const char *what, struct jscan_limits limits, struct client_reply *out)
{
    char text[SESSION_PROBLEM_BYTES];
    struct jsonio_refusal refusal = {0, "no memory"};
    if (answer->status < 200 || answer->status > 299)
        client_fail(CLIENT_REFUSED, "%s: %s", what, client_problem_text(text, sizeof text, answer->status, answer->body.data,
                                                                       answer->body.length));
    *out = (struct client_reply){.status = answer->status, .answer = *answer, .memory = arena_new(64)};
    if (out->memory == NULL ||
        (answer->body.length > 0 && jsonio_parse(out->memory, answer->body.data, answer->body.length, limits,
                                                 &out->document, &refusal) != FAULT_NONE))
        client_fail(CLIENT_REFUSED, "%s: the answer is no JSON: %s", what, refusal.reason);
}

/* Appends name=value, percent-encoded (the form of HTML, and of RFC 6749). */
static void session_form_add(struct str *form, const char *name, const char *value)
{
    if (form->length > 0)
        str_append_char(form, '&');
    str_append_text(form, name);
    str_append_char(form, '=');
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++)
        str_printf(form, "%%%02X", *p);
}

bool client_session_renew(struct client_session *s)
{
    static const char *const HEADERS[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    struct str form = STR_INIT(65536);
    struct client_answer answer;
    struct client_reply reply;
    if (s->who.secret == NULL)
        return false;
    session_form_add(&form, "grant_type", "client_credentials");
    session_form_add(&form, "client_id", s->who.client_id);
    session_form_add(&form, "client_secret", s->who.secret);
    if (form.overflow)
        client_fail(CLIENT_USAGE, "the secret is too long");
    struct client_request request = {"POST", SESSION_TOKEN_PATH, HEADERS, form.data, form.length, SESSION_BYTES, 0};
    int64_t asked_ms = clock_wall_ms();
    session_send(s, &request, &answer);
    crypto_wipe(form.data, form.length);
    str_free(&form);
    session_read(&answer, "no token", SESSION_LIMITS, &reply);
    const char *token = jsonio_member_text(reply.document, "access_token");
    struct json_object *expires_in = jsonio_member(reply.document, "expires_in", NULL);
    int64_t life_s = json_object_is_type(expires_in, json_type_int) ? json_object_get_int64(expires_in) : 0;
    if (token == NULL || !client_text_is_header(token, SESSION_TOKEN_MAX) || life_s <= 0 || life_s > SESSION_LIFE_MOST_S)
        client_fail(CLIENT_REFUSED, "%s: the token endpoint's answer holds no token", s->place.url);
    int64_t life_ms = life_s * 1000;
    s->who.token = session_join("", token);
    s->who.token_until_ms = asked_ms + life_ms - (life_ms / 10 < SESSION_MARGIN_MS ? life_ms / 10 : SESSION_MARGIN_MS);
    client_session_free(&reply);
    session_set_headers(s);
    if (s->profile != NULL)
        client_profile_save_token(s->profile, &s->who);
    return true;
}

void client_session_enter(struct client_session *s)
{
    bool over = s->who.token_until_ms > 0 && clock_wall_ms() >= s->who.token_until_ms;
    if (s->who.token != NULL && !client_text_is_header(s->who.token, SESSION_TOKEN_MAX))
        client_fail(CLIENT_USAGE, "the token is none");
    if (s->who.token == NULL || over)
        (void)client_session_renew(s); /* without a secret the service says what it thinks of the token */
    if (s->header[0] == NULL)
        session_set_headers(s);
}

const char *client_session_key(const struct client_args *args, char made[CLIENT_SESSION_KEY_BYTES])
{
    char uuid[CRYPTO_UUID_TEXT];
    const char *given = client_args_value(args, "idempotency-key");
    if (given != NULL && !client_text_is_header(given, SESSION_KEY_MAX))
        client_args_wrong(args->command, "--idempotency-key: up to %d printable ASCII characters", SESSION_KEY_MAX);
    crypto_uuid(uuid);
    snprintf(made, CLIENT_SESSION_KEY_BYTES, "consignctl-%s", uuid);
    return given != NULL ? given : made;
}

/* Sends a request, with a new token after 401. */
static void session_ask(struct client_session *s, struct client_request *request, const char *key, struct client_answer *answer)
{
    char idempotency[320];
    snprintf(idempotency, sizeof idempotency, "Idempotency-Key: %s", key == NULL ? "" : key);
    for (bool renewed = false;; renewed = true) {
        client_session_enter(s);
        const char *headers[CLIENT_SESSION_HEADERS + 3] = {NULL};
        int n = 0;
        for (; s->header[n] != NULL; n++)
            headers[n] = s->header[n];
        if (request->body != NULL)
            headers[n++] = "Content-Type: application/json";
        if (key != NULL)
            headers[n] = idempotency;
        request->headers = headers;
        session_send(s, request, answer);
        if (answer->status != 401 || renewed || !client_session_renew(s))
            break;
        client_http_free(answer);
    }
    request->headers = NULL;
}

void client_session_call(struct client_session *s, const char *method, const char *path, const char *key,
                         struct json_object *body, struct client_reply *out)
{
    char what[1024];
    struct client_answer answer;
    struct client_request request = {.method = method, .path = path, .most_bytes = SESSION_BYTES};
    if (body != NULL)
        request.body = json_object_to_json_string_length(body, JSON_C_TO_STRING_PLAIN, &request.length);
    snprintf(what, sizeof what, "%s %s", method, path);
    session_ask(s, &request, key, &answer);
    session_read(&answer, what, SESSION_LIMITS, out);
}

void client_session_get_long(struct client_session *s, const char *path, size_t most_bytes, struct client_reply *out)
{
    char what[1024];
    struct client_answer answer;
    struct client_request request = {.method = "GET", .path = path, .most_bytes = most_bytes};
    snprintf(what, sizeof what, "GET %s", path);
    session_ask(s, &request, NULL, &answer);
    const struct jscan_limits limits = {
        .depth = SESSION_DEPTH, .bytes = (uint32_t)most_bytes, .nodes = (uint32_t)(answer.body.length / SESSION_NODE_BYTES) + 64};
    session_read(&answer, what, limits, out);
}

void client_session_free(struct client_reply *reply)
{
    arena_free(reply->memory);
    client_http_free(&reply->answer);
}
