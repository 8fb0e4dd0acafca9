/*
 * fuzz_scope: the headers that say for whom a request acts, through the whole pipeline.
 *
 * The pipeline runs with a made-up registry and made-up tokens in place of the database and of the
 * signatures. contract.md section 2 is told a second time here: who gets in, and what everybody else is
 * told, must be exactly that. No answer carries a control character in its head, and its body is JSON.
 *
 * Input: a byte that chooses the route's right, then strings that end with NUL: a letter for the
 * header (A K O S) and its value.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

/* What the pipeline calls, here to be answered by the file below. */
#define request_copy fuzz_request_copy
#define request_read_body fuzz_request_read_body
#define request_answer fuzz_request_answer
#define request_drop fuzz_request_drop
#define routes_match fuzz_routes_match
#define routes_number fuzz_routes_number
#define issuers_refresh fuzz_issuers_refresh
#define token_cache_verify fuzz_token_cache_verify
#define scope_find fuzz_scope_find
#define db_set_budget fuzz_db_set_budget
#define request_others_wait fuzz_request_others_wait
#include "responder/pipeline.c" /* NOLINT(bugprone-suspicious-include) */

#define N(array) (sizeof(array) / sizeof(array)[0])
#define HEADERS_MAX 8

static const struct {
    const char *text, *client, *org;
    unsigned rights;
} TOKENS[] = {{"t1", "c1", "", RIGHT_ALL},
              {"t2", "c1", "o1@AdobeOrg", RIGHT_ALL},
              {"t3", "c2", "", RIGHT_EXPORT_READ},
              {"t4", "c3", "", RIGHT_ALL},
              {"t5", "c1", "", RIGHT_FILES_READ | RIGHT_INGEST_WRITE}};

static const struct {
    const char *client, *org;
    int number;
    unsigned rights;
} ENTITLED[] = {{"c1", "o1@AdobeOrg", 1, RIGHT_ALL},
                {"c1", "o.2", 2, RIGHT_ALL},
                {"c2", "o.2", 2, RIGHT_EXPORT_READ | RIGHT_FILES_READ}};

static const struct {
    int org;
    const char *name;
    int number;
} SANDBOXES[] = {{1, "prod", 11}, {1, "dev", 12}, {2, "prod", 21}};

static struct input {
    struct request_param header[HEADERS_MAX];
    int count;
    unsigned right;
} input;

static struct outcome {
    bool handled;
    int org, sandbox;
    unsigned rights;
    int status;
    const char *text;
    size_t length;
} got;

static enum fault fuzz_handle(struct call *c)
{
    got.handled = true;
    got.org = c->scope.org;
    got.sandbox = c->scope.sandbox;
    got.rights = c->scope.rights;
    INVARIANT(strcmp(c->scope.ims_org_id, request_param(&c->request, "HTTP_X_GW_IMS_ORG_ID")) == 0);
    INVARIANT(strcmp(c->scope.sandbox_name, request_param(&c->request, "HTTP_X_SANDBOX_NAME")) == 0);
    INVARIANT(strcmp(c->scope.client_id, request_param(&c->request, "HTTP_X_API_KEY")) == 0);
    c->reply.status = 204;
    return FAULT_NONE;
}

enum fault fuzz_request_copy(struct request_listener *l, struct arena *a, struct request *out)
{
    (void)l;
    *out = (struct request){.arena = a, .path = "/x", .query = "", .id = "r1", .method = METHOD_GET};
    for (int i = 0; i < input.count; i++)
        out->param[out->param_count++] = input.header[i];
    return FAULT_NONE;
}

enum fault fuzz_request_read_body(struct request_listener *l, struct request *r, size_t most, const char **out,
                                  size_t *length)
{
    (void)l, (void)r, (void)most;
    *out = "";
    *length = 0;
    return FAULT_NONE;
}

void fuzz_request_answer(struct request_listener *l, const char *bytes, size_t length)
{
    char *kept = malloc(length + 1);
    (void)l;
    INVARIANT(kept != NULL && got.text == NULL);
    memcpy(kept, bytes, length);
    kept[length] = '\0';
    got.text = kept;
    got.length = length;
}

void fuzz_request_drop(struct request_listener *l)
{
    (void)l;
    INVARIANT(got.text != NULL); /* there is always somebody to answer here */
}

bool fuzz_request_others_wait(struct request_listener *l)
{
    (void)l;
    return false;
}

int fuzz_routes_number(const struct route *route)
{
    return route == NULL; /* there is one */
}

enum route_match fuzz_routes_match(struct call *c, const char **allow)
{
    static struct route route = {METHOD_GET, "/x", ROUTE_TENANT, 0, ROUTE_BODY_NONE, fuzz_handle, "x"};
    (void)allow;
    route.right = input.right;
    c->route = &route;
    return ROUTE_FOUND;
}

static int token_row(const char *text, size_t length)
{
    for (size_t i = 0; i < N(TOKENS); i++) {
        if (strlen(TOKENS[i].text) == length && memcmp(TOKENS[i].text, text, length) == 0)
            return (int)i;
    }
    return -1;
}

void fuzz_issuers_refresh(struct issuers *list, struct arena *a)
{
    (void)list, (void)a;
}

bool fuzz_token_cache_verify(struct token_cache *cache, const struct issuers *issuers, struct arena *a, const char *text,
                             size_t length, int64_t now_s, struct token_claims *out, const char **reason)
{
    int row = token_row(text, length);
    (void)cache, (void)issuers, (void)a, (void)now_s;
    *reason = "made up";
    if (row < 0)
        return false;
    *out = (struct token_claims){.until_s = INT64_MAX, .rights = TOKENS[row].rights};
    snprintf(out->client_id, sizeof out->client_id, "%s", TOKENS[row].client);
    snprintf(out->org, sizeof out->org, "%s", TOKENS[row].org);
    return true;
}

static void registry(const char *client, const char *org, const char *sandbox, struct scope_answer *out)
{
    *out = (struct scope_answer){.client_active = strcmp(client, "c1") == 0 || strcmp(client, "c2") == 0};
    for (size_t i = 0; i < N(ENTITLED); i++) {
        if (strcmp(ENTITLED[i].client, client) == 0 && strcmp(ENTITLED[i].org, org) == 0) {
            out->entitled = true;
            out->org = ENTITLED[i].number;
            out->rights = ENTITLED[i].rights;
        }
    }
    for (size_t i = 0; i < N(SANDBOXES); i++) {
        if (SANDBOXES[i].org == out->org && strcmp(SANDBOXES[i].name, sandbox) == 0)
            out->sandbox = SANDBOXES[i].number;
    }
}

void fuzz_db_set_budget(struct db *db, int64_t budget_ms)
{
    (void)db, (void)budget_ms;
}

enum fault fuzz_scope_find(struct db *db, const struct scope_cache *cache, struct arena *a, const char *client_id,
                           const char *ims_org_id, const char *sandbox_name, int cache_ms, struct scope_answer *out)
{
    (void)db, (void)cache, (void)a, (void)cache_ms;
    INVARIANT(strlen(client_id) <= 256 && strlen(ims_org_id) <= 256 && strlen(sandbox_name) <= 256);
    registry(client_id, ims_org_id, sandbox_name, out);
    return FAULT_NONE;
}

/* The header's only value when it is one that may be looked at; NULL when it is absent or empty. */
static bool header_fine(const char *name, size_t most, const char **value)
{
    int times = 0;
    *value = NULL;
    for (int i = 0; i < input.count; i++) {
        if (strcmp(input.header[i].name, name) != 0)
            continue;
        times++;
        *value = input.header[i].value;
    }
    if (times == 0)
        return true;
    size_t length = strlen(*value);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)(*value)[i];
        if (c < ' ' || c > '~' || c == ',')
            return false;
    }
    if (length == 0)
        *value = NULL;
    return times == 1 && length <= most;
}

static bool org_well_formed(const char *org)
{
    const char *at = strstr(org, "@AdobeOrg");
    size_t length = at != NULL && at[9] == '\0' ? (size_t)(at - org) : strlen(org);
    bool ours = length == strlen(org);
    for (size_t i = 0; i < length; i++) {
        char c = org[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(ours && (c == '.' || c == '_' || c == '-')))
            return false;
    }
    return length >= 1 && length <= 64;
}

/* The row of the token in an Authorization value, or -1. */
static int bearer_row(const char *value)
{
    static const char SCHEME[] = "bearer ";
    for (size_t i = 0; i < sizeof SCHEME - 1; i++) {
        char c = value[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != SCHEME[i])
            return -1;
    }
    value += sizeof SCHEME - 1;
    while (*value == ' ')
        value++;
    return token_row(value, strlen(value));
}

/* contract.md section 2: status and the word that the body must hold. */
static int expected(const char **word, struct scope_answer *scope)
{
    const char *authorization, *key, *org, *sandbox;
    bool fine = header_fine("HTTP_AUTHORIZATION", JWS_TEXT_MAX + 16, &authorization);
    fine = header_fine("HTTP_X_API_KEY", 256, &key) && fine;
    fine = header_fine("HTTP_X_GW_IMS_ORG_ID", 256, &org) && fine;
    fine = header_fine("HTTP_X_SANDBOX_NAME", 256, &sandbox) && fine;
    if (!fine)
        return *word = "/problems/", 400;
    if (authorization == NULL)
        return *word = "\"403010\"", 401;
    int row = bearer_row(authorization);
    if (row < 0 || (*TOKENS[row].org != '\0' && org != NULL && strcmp(TOKENS[row].org, org) != 0))
        return *word = "\"401013\"", 401;
    if (key == NULL)
        return *word = "\"403000\"", 403;
    registry(TOKENS[row].client, org == NULL ? "" : org, sandbox == NULL ? "" : sandbox, scope);
    if (strcmp(key, TOKENS[row].client) != 0 || !scope->client_active)
        return *word = "\"403003\"", 403;
    if (org == NULL || sandbox == NULL)
        return *word = "\"400003\"", 400;
    if (!scope->entitled)
        return *word = org_well_formed(org) ? "\"403025\"" : "\"403027\"", 403;
    if (scope->sandbox == 0)
        return *word = "/problems/", 403;
    scope->rights &= TOKENS[row].rights;
    if ((scope->rights & input.right) != input.right)
        return *word = "/problems/", 403;
    return *word = "", 204;
}

/* Head and body of the answer are what a client can read. */
static void check_answer(const char *word)
{
    INVARIANT(got.text != NULL && strncmp(got.text, "Status: ", 8) == 0);
    got.status = (int)strtol(got.text + 8, NULL, 10);
    const char *body = strstr(got.text, "\r\n\r\n");
    INVARIANT(body != NULL && strlen(got.text) == got.length);
    for (const char *p = got.text; p < body; p++) {
        if (p[0] == '\r' && p[1] == '\n')
            p += 1;
        else
            INVARIANT((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
    }
    body += 4;
    INVARIANT((*body == '\0') == (got.status == 204));
    INVARIANT(*body == '\0' || fuzz_is_json(body, strlen(body), 4));
    INVARIANT(strstr(body, word) != NULL);
    INVARIANT((got.status == 401) <= (strstr(got.text, "WWW-Authenticate: Bearer realm=") != NULL));
    INVARIANT((strstr(got.text, "error=\"invalid_token\"") != NULL) == (strstr(body, "\"401013\"") != NULL));
}

static void read_input(char *at, const char *end)
{
    static const struct {
        char letter;
        const char *param;
    } HEADERS[] = {{'A', "HTTP_AUTHORIZATION"},
                   {'K', "HTTP_X_API_KEY"},
                   {'O', "HTTP_X_GW_IMS_ORG_ID"},
                   {'S', "HTTP_X_SANDBOX_NAME"}};
    for (char *text; input.count < HEADERS_MAX && (text = fuzz_next(&at, end)) != NULL;) {
        for (size_t i = 0; i < N(HEADERS); i++) {
            if (*text == HEADERS[i].letter)
                input.header[input.count++] = (struct request_param){HEADERS[i].param, text + 1};
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena *arena;
    static struct call_worker worker; /* the only one, so that its tenant always has a place */
    if (arena == NULL) {
        arena = arena_new(1u << 20);
        worker = (struct call_worker){.workers = 1, .concurrency = concurrency_new(1, 1, 0), .org_rate = org_rate_new(1000000),
                                      .suspect = suspect_new(1), .figures = figures_new(1), .traffic = traffic_new(1)};
    }
    if (size == 0)
        return 0;
    char *copy = malloc(size);
    INVARIANT(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    log_open("fuzz", LOG_ERROR);
    input = (struct input){.right = data[0] % 11 == 10 ? 0 : 1u << (data[0] % 11)};
    got = (struct outcome){0};
    read_input(copy, copy + size - 1);

    const char *word = "";
    struct scope_answer scope = {0};
    int status = expected(&word, &scope);
    pipeline_serve(&worker, arena);
    check_answer(word);
    INVARIANT(got.status == status && got.handled == (status == 204));
    if (got.handled)
        INVARIANT(got.org == scope.org && got.sandbox == scope.sandbox && got.rights == scope.rights);
    free((void *)(uintptr_t)got.text);
    free(copy);
    return 0;
}
