/*
 * pipeline: the steps of a request, in one table.
 *
 * A step either lets the request pass or answers it. The first two look whether it ends workers and how old it is; then the
 * order is that of contract.md section 2: route, headers, token, api key, org, sandbox, right; then the tenant's place among
 * the workers, the body, and only then the handler. So nothing with a side effect happens before all of the request came and
 * everything agreed.
 *
 * Before a body that is streamed nginx asks whether to let it come (request_stage): the same steps, and the handler as far as
 * it would read the body. That is no request of its own: it is neither counted nor told in the log.
 *
 * A request counts for its tenant's rate as soon as it is known whose it is (pipeline_charge), once. Whoever is over the rate
 * gets no more than a refusal, by whichever step; nginx hands it out slowly.
 */
#include "responder/pipeline.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "core/jws.h"
#include "core/right.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/str.h"
#include "responder/figures.h"
#include "responder/queue_age.h"
#include "responder/routes.h"
#include "responder/traffic.h"

#define PIPELINE_JSON_MAX (1024u * 1024u)
#define PIPELINE_FORM_MAX (64u * 1024u)
#define PIPELINE_HEADER_MAX 256
#define PIPELINE_HEAD_BYTES 200 /* of a refusal's head, when nginx has added its lines; at least */
#define PIPELINE_UNKNOWN_COST 4 /* requests: what a refusal costs that the registry was asked for, next to one that was kept */
#define PIPELINE_PLACE_PAUSE_NS 1000000

enum pipeline_step {
    STEP_PASS,
    STEP_ANSWERED,
    STEP_DROP /* there is nobody to answer */
};

static enum pipeline_step pipeline_problem(struct call *c, enum fault fault)
{
    /* what the arena can't hold it won't hold the next time; whatever else had no memory may have some then */
    if (fault == FAULT_MEMORY && !arena_exhausted(c->arena))
        fault = FAULT_OVERLOADED;
    c->audit.fault = fault;
    if (fault == FAULT_CONNECTION_CUT)
        return STEP_DROP;
    reply_problem(&c->reply, c->arena, fault, c->detail, c->pointer, c->request.id);
    return STEP_ANSWERED;
}

static enum pipeline_step pipeline_gateway(struct call *c, int status, const char *code, const char *message)
{
    reply_gateway(&c->reply, c->arena, status, code, message);
    return STEP_ANSWERED;
}

/* RFC 6750 section 3: no error code when there was no token at all. */
static void pipeline_challenge(struct call *c, const char *error)
{
    const char *realm = conf_text(CONF_TOKEN_AUDIENCE);
    reply_header(&c->reply, "WWW-Authenticate",
                 error == NULL ? arena_printf(c->arena, "Bearer realm=\"%s\"", realm)
                               : arena_printf(c->arena, "Bearer realm=\"%s\", error=\"%s\"", realm, error));
}

static enum pipeline_step step_suspect(struct call *c)
{
    if (suspect_begin(c->worker->suspect, c->worker->slot, request_param(&c->request, "REQUEST_ID")))
        return STEP_PASS;
    c->detail = "the request has ended two processes of the service, and is not tried again";
    return pipeline_problem(c, FAULT_INTERNAL);
}

/* A request that nobody may be waiting for any more is refused before any work; another has so much less time for
 * the database. Not the operators': who asks whether the service lives is to hear it. */
static enum pipeline_step step_queue(struct call *c)
{
    if (c->request.ops)
        return STEP_PASS;
    int64_t age_ms = c->queued_ms = queue_age_ms(request_param(&c->request, "CONSIGN_RECEIVED"), clock_wall_ms(),
                                  clock_monotonic_ms() - c->worker->queue_empty_ms);
    figures_waited(c->worker->figures, c->worker->slot, age_ms);
    if (age_ms > conf_number(CONF_API_QUEUE_MS)) {
        log_event(LOG_WARN, "overloaded", "age_ms=%lld", (long long)age_ms);
        c->detail = "the request waited too long for its turn, and nothing was done";
        return pipeline_problem(c, FAULT_OVERLOADED);
    }
    db_set_budget(c->worker->db, conf_number(CONF_API_DATABASE_MS) - age_ms);
    return STEP_PASS;
}

static enum pipeline_step step_route(struct call *c)
{
    const char *allow = NULL;
    switch (routes_match(c, &allow)) {
    case ROUTE_FOUND:
        return STEP_PASS;
    case ROUTE_NO_METHOD:
        reply_header(&c->reply, "Allow", allow);
        return pipeline_problem(c, FAULT_METHOD);
    case ROUTE_NO_PATH:
    default:
        return pipeline_problem(c, FAULT_NO_ROUTE);
    }
}

/* SECURITY: only handlers of streamed bodies know how to say whether they would; another would act. */
static enum pipeline_step step_gate(struct call *c)
{
    if (c->request.stage == REQUEST_WHOLE || c->route->body == ROUTE_BODY_STREAM)
        return STEP_PASS;
    return pipeline_problem(c, FAULT_NO_ROUTE);
}

/* SECURITY: nginx passes control characters, bytes over 0x7f and repeats; of a repeat, readers differ in
 * which one counts. So each of the headers that decide who is asking comes once and in plain ASCII. */
static const char *pipeline_header_rule(const struct call *c, const char *name, size_t most)
{
    int count = request_param_count(&c->request, name);
    const char *value = request_param(&c->request, name);
    if (count == 0)
        return NULL;
    if (count > 1)
        return "must come once";
    if (strlen(value) > most)
        return "is too long";
    for (const char *p = value; *p != '\0'; p++) {
        if (*p == ',')
            return "must be one value, not a list";
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
            return "must be printable ASCII";
    }
    return NULL;
}

static enum pipeline_step step_headers(struct call *c)
{
    static const struct {
        const char *param;
        const char *header;
        size_t most;
    } GUARDED[] = {
        {"HTTP_AUTHORIZATION", "Authorization", JWS_TEXT_MAX + sizeof "Bearer " - 1},
        {"HTTP_X_API_KEY", "x-api-key", PIPELINE_HEADER_MAX},
        {"HTTP_X_GW_IMS_ORG_ID", "x-gw-ims-org-id", PIPELINE_HEADER_MAX},
        {"HTTP_X_SANDBOX_NAME", "x-sandbox-name", PIPELINE_HEADER_MAX},
    };
    for (size_t i = 0; i < sizeof GUARDED / sizeof *GUARDED; i++) {
        const char *rule = pipeline_header_rule(c, GUARDED[i].param, GUARDED[i].most);
        if (rule != NULL) {
            c->detail = arena_printf(c->arena, "%s: %s", GUARDED[i].header, rule);
            return pipeline_problem(c, FAULT_MALFORMED);
        }
    }
    return STEP_PASS;
}

/* The value of a header; an empty one counts as missing. */
static const char *pipeline_header(const struct call *c, const char *param)
{
    const char *value = request_param(&c->request, param);
    return value == NULL || *value == '\0' ? NULL : value;
}

static enum pipeline_step step_token(struct call *c)
{
    const char *value = pipeline_header(c, "HTTP_AUTHORIZATION");
    struct token_claims claims;
    const char *reason = "scheme";
    if (value == NULL) {
        pipeline_challenge(c, NULL);
        return pipeline_gateway(c, 401, "403010", "Oauth token is missing.");
    }
    if (strncasecmp(value, "Bearer ", 7) == 0) {
        const char *text = value + 7 + strspn(value + 7, " ");
        issuers_refresh(c->worker->issuers, c->arena);
        if (token_cache_verify(c->worker->cache, c->worker->issuers, c->arena, text, strlen(text),
                               clock_wall_ms() / 1000, &claims, &reason)) {
            str_copy_fitting(c->scope.client_id, sizeof c->scope.client_id, claims.client_id);
            if (audit_method(c->request.method))
                audit_note_token(&c->audit, text, strlen(text));
            c->scope.rights = claims.rights;
            const char *org = pipeline_header(c, "HTTP_X_GW_IMS_ORG_ID");
            if (claims.org[0] == '\0' || org == NULL || strcmp(claims.org, org) == 0)
                return STEP_PASS;
            reason = "org";
        }
    }
    log_event(LOG_INFO, "token_refused", "reason=%s", reason);
    pipeline_challenge(c, "invalid_token");
    return pipeline_gateway(c, 401, "401013", "Oauth token is not valid");
}

/* Counts the request for the org, or for the client when it may act for none. Of an upload the question counts; what was found
 * then, nginx says again with what comes after it. Names that nobody has can be made up without end, so that each is asked for. */
static void pipeline_charge(struct call *c, const struct scope_answer *answer)
{
    int64_t now_us = clock_monotonic_us();
    int payer = org_rate_payer(c->worker->org_rate, answer->entitled ? answer->org : 0, c->scope.client_id);
    int requests = answer->asked && answer->sandbox <= 0 ? PIPELINE_UNKNOWN_COST : 1;
    concurrency_note(c->worker->concurrency, payer, now_us / 1000);
    if (c->request.asked)
        c->over = pipeline_header(c, "CONSIGN_OVER") != NULL;
    else
        c->over = concurrency_contended(c->worker->concurrency, now_us / 1000) &&
                  !org_rate_take(c->worker->org_rate, payer, requests, now_us);
}

/* api key, org and sandbox: what the headers say must be what the registry says of the token's client */
static enum pipeline_step step_scope(struct call *c)
{
    const char *key = pipeline_header(c, "HTTP_X_API_KEY");
    const char *org = pipeline_header(c, "HTTP_X_GW_IMS_ORG_ID");
    const char *sandbox = pipeline_header(c, "HTTP_X_SANDBOX_NAME");
    struct scope_answer answer = {0}; /* of one whose key is another's: nothing */
    enum fault fault = FAULT_NONE;
    if (key != NULL && strcmp(key, c->scope.client_id) == 0)
        fault = scope_find(c->worker->db, c->worker->scopes, c->arena, c->scope.client_id, org == NULL ? "" : org,
                           sandbox == NULL ? "" : sandbox, (int)conf_number(CONF_API_SCOPE_CACHE_MS), &answer);
    if (fault != FAULT_NONE)
        return pipeline_problem(c, fault);
    pipeline_charge(c, &answer);
    if (key == NULL)
        return pipeline_gateway(c, 403, "403000", "Api Key is required");
    if (!answer.client_active)
        return pipeline_gateway(c, 403, "403003", "Api Key is invalid");
    if (org == NULL || sandbox == NULL)
        return pipeline_gateway(c, 400, "400003", "Missing header");
    if (!scope_org_valid(org))
        return pipeline_gateway(c, 403, "403027", "User region is missing");
    if (!answer.entitled || answer.org <= 0)
        return pipeline_gateway(c, 403, "403025", "Profile is not valid");
    if (answer.sandbox <= 0)
        return pipeline_problem(c, FAULT_SANDBOX);
    c->scope.org = answer.org;
    c->scope.sandbox = answer.sandbox;
    c->scope.rights &= answer.rights;
    /* entitled, so the registry knows both: they fit */
    str_copy_fitting(c->scope.ims_org_id, sizeof c->scope.ims_org_id, org);
    str_copy_fitting(c->scope.sandbox_name, sizeof c->scope.sandbox_name, sandbox);
    log_context("req=%s org=%d sandbox=%d", c->request.id, answer.org, answer.sandbox);
    return STEP_PASS;
}

static enum pipeline_step step_right(struct call *c)
{
    if ((c->scope.rights & c->route->right) == c->route->right)
        return STEP_PASS;
    pipeline_challenge(c, "insufficient_scope");
    c->detail = arena_printf(c->arena, "the right %s is needed", right_name(c->route->right));
    return pipeline_problem(c, FAULT_FORBIDDEN);
}

/* No org has more than its part of the machine's time; see org_rate.h. */
static enum pipeline_step step_rate(struct call *c)
{
    if (!c->over)
        return STEP_PASS;
    if (c->request.asked)
        c->detail = "no more requests of one organisation or client are worked on, in a second or at a time";
    else
        c->detail = arena_printf(c->arena, "at most %lld requests of one organisation are worked on in a second",
                                 (long long)org_rate_per_second(c->worker->org_rate));
    return pipeline_problem(c, FAULT_TOO_MANY);
}

/* No org and no client holds more than its part of the workers; see concurrency.h. */
static enum pipeline_step step_place(struct call *c)
{
    static const struct timespec PAUSE = {.tv_nsec = PIPELINE_PLACE_PAUSE_NS};
    struct concurrency_claim claim = {c->worker->slot, c->scope.org, c->scope.client_id};
    struct concurrency_view view = {.queued_ms = c->queued_ms};
    int64_t begun_ms = clock_monotonic_ms();
    for (int64_t now_ms = begun_ms;; now_ms = clock_monotonic_ms()) {
        view.waited_ms = now_ms - begun_ms;
        view.others_wait = request_others_wait(c->worker->listener);
        switch (concurrency_take(c->worker->concurrency, &claim, &view, now_ms)) {
        case CONCURRENCY_GO:
            return STEP_PASS;
        case CONCURRENCY_WAIT:
            nanosleep(&PAUSE, NULL);
            break;
        case CONCURRENCY_REFUSED:
        default:
            c->detail = arena_printf(c->arena, "at most %d requests of one organisation or client are worked on at a time",
                                     view.most);
            return pipeline_problem(c, FAULT_TOO_MANY);
        }
    }
}

/* Whether the media type, without its parameters, is `wanted`. */
static bool pipeline_media_type(const struct call *c, const char *wanted)
{
    const char *type = request_param(&c->request, "CONTENT_TYPE");
    size_t length = type == NULL ? 0 : strcspn(type, "; \t");
    return type != NULL && length == strlen(wanted) && strncasecmp(type, wanted, length) == 0;
}

static enum pipeline_step step_body(struct call *c)
{
    static const char *const TYPES[] = {[ROUTE_BODY_JSON] = "application/json",
                                        [ROUTE_BODY_PATCH] = "application/json",
                                        [ROUTE_BODY_FORM] = "application/x-www-form-urlencoded"};
    enum route_body kind = c->route->body;
    if (kind == ROUTE_BODY_STREAM)
        return STEP_PASS;
    size_t most = kind == ROUTE_BODY_FORM ? PIPELINE_FORM_MAX : PIPELINE_JSON_MAX;
    enum fault fault = request_read_body(c->worker->listener, &c->request, most, &c->body, &c->body_length);
    if (fault != FAULT_NONE)
        return pipeline_problem(c, fault);
    bool patch = kind == ROUTE_BODY_PATCH && pipeline_media_type(c, "application/json-patch+json");
    if (kind != ROUTE_BODY_NONE && !patch && !pipeline_media_type(c, TYPES[kind])) {
        c->detail = arena_printf(c->arena, "Content-Type: must be %s", TYPES[kind]);
        return pipeline_problem(c, FAULT_MEDIA_TYPE);
    }
    return STEP_PASS;
}

static enum pipeline_step step_handle(struct call *c)
{
    enum fault fault = c->route->handle(c);
    if (fault == FAULT_NONE && arena_exhausted(c->arena))
        fault = FAULT_MEMORY;
    if (fault == FAULT_NONE)
        return STEP_ANSWERED;
    if (fault == FAULT_MEMORY)
        log_event(LOG_ERROR, "memory", "route=%s", c->route->name);
    c->reply = (struct reply){0};
    return pipeline_problem(c, fault);
}

/* `tenant_only`: skipped for routes that anybody, or only operators, may call. */
static const struct {
    enum pipeline_step (*run)(struct call *c);
    bool tenant_only;
} STEPS[] = {{step_suspect, false}, {step_queue, false}, {step_route, false}, {step_gate, false},
             {step_headers, true},  {step_token, true},  {step_scope, true},  {step_right, true},
             {step_rate, true},     {step_place, true},  {step_body, false},  {step_handle, false}};

static enum pipeline_step pipeline_run(struct call *c)
{
    enum fault fault = request_copy(c->worker->listener, c->arena, &c->request);
    log_context("req=%s", c->request.id);
    if (fault != FAULT_NONE)
        return pipeline_problem(c, fault);
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++) {
        if (STEPS[i].tenant_only && c->route->gate != ROUTE_TENANT)
            continue;
        enum pipeline_step step = STEPS[i].run(c);
        if (step != STEP_PASS)
            return step;
    }
    return STEP_DROP; /* the last step always answers */
}

/* What nginx makes of the answer when the request is not whole: yes or no; or what the client is told, which is never yes: its
 * body was not read. A no for want of a place is told like one for the rate: the next look may find one free. */
static void pipeline_answer_gate(struct call *c)
{
    bool good = c->reply.status < 400;
    if (c->request.stage == REQUEST_ASKS) {
        c->over = c->over || c->reply.status == 429;
        c->reply = (struct reply){.status = good ? 204 : 403};
    } else if (c->request.stage == REQUEST_REFUSED && good) {
        c->reply = (struct reply){0};
        c->detail = "the upload was refused a moment ago and would be taken now; nothing was done";
        pipeline_problem(c, FAULT_OVERLOADED);
    }
}

/* Bytes a second at which nginx hands out the answer: its end comes after one to four seconds, at differing times, so that a
 * crowd that was refused together does not come back together. It costs no worker. */
static void pipeline_answer_slowly(struct call *c)
{
    size_t bytes = PIPELINE_HEAD_BYTES + (c->request.method == METHOD_HEAD ? 0 : c->reply.length);
    reply_header(&c->reply, "X-Accel-Limit-Rate",
                 arena_printf(c->arena, "%zu", bytes / 5 + (size_t)clock_monotonic_us() % (bytes * 3 / 5)));
}

/* One line a request, the audit's or this one; calls that change something are louder than reads. */
static void pipeline_log(const struct call *c, bool dropped, int64_t ms)
{
    if (audit_write(c, dropped, ms))
        return;
    bool read_only = c->request.method == METHOD_GET || c->request.method == METHOD_HEAD;
    log_event(read_only && c->reply.status < 400 ? LOG_DEBUG : LOG_INFO, "request",
              "route=%s status=%d client=%s ms=%lld", c->route == NULL ? "-" : c->route->name, c->reply.status,
              c->scope.org > 0 ? c->scope.client_id : "-", (long long)ms);
}

void pipeline_serve(struct call_worker *worker, struct arena *arena)
{
    int64_t started_us = clock_monotonic_us();
    arena_reset(arena);
    struct call *c = arena_alloc(arena, sizeof *c);
    if (c == NULL) {
        request_drop(worker->listener);
        return;
    }
    c->worker = worker;
    c->arena = arena;
    enum pipeline_step step = pipeline_run(c);
    if (step == STEP_ANSWERED)
        pipeline_answer_gate(c);
    if (c->over)
        pipeline_answer_slowly(c);
    size_t length = 0;
    const char *text = step == STEP_DROP ? NULL
                                         : reply_print(&c->reply, arena, c->request.id,
                                                       c->request.method == METHOD_HEAD, &length);
    if (text == NULL)
        request_drop(worker->listener);
    else
        request_answer(worker->listener, text, length);
    concurrency_release(worker->concurrency, worker->slot);
    suspect_end(worker->suspect, worker->slot);
    int64_t took_us = clock_monotonic_us() - started_us;
    if (c->request.stage != REQUEST_ASKS) {
        traffic_count(worker->traffic, routes_number(c->route), text == NULL ? 0 : c->reply.status, took_us - c->held_us);
        pipeline_log(c, step == STEP_DROP, took_us / 1000);
    }
    log_context("%s", "");
    arena_reset(arena);
}
