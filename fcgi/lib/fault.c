/*
 * fault: the one table of faults. See fault.h.
 */
#include "lib/fault.h"

#include "lib/invariant.h"

static const struct fault_row TABLE[FAULT_COUNT] = {
    [FAULT_NONE] = {"none", 200, "none", "No fault", LOG_DEBUG, false},

    [FAULT_MALFORMED] = {"malformed", 400, "malformed", "The request breaks a rule", LOG_INFO, false},
    [FAULT_NOT_SUPPORTED] = {"not_supported", 400, "not-supported", "This version does not offer that", LOG_INFO, false},
    [FAULT_POLICY] = {"policy", 400, "malformed", "The request breaks a rule", LOG_INFO, false},
    [FAULT_POLICY_VERSION] = {"policy_version", 400, "malformed", "The request breaks a rule", LOG_INFO, false},
    [FAULT_WEBHOOK] = {"webhook", 400, "malformed", "The request breaks a rule", LOG_INFO, false},
    [FAULT_SANDBOX] = {"sandbox", 403, "sandbox", "The sandbox is not available", LOG_INFO, false},
    [FAULT_FORBIDDEN] = {"forbidden", 403, "insufficient-right", "The client lacks the right", LOG_INFO, false},
    [FAULT_NOT_FOUND] = {"not_found", 404, "not-found", "There is no such resource", LOG_INFO, false},
    [FAULT_GONE] = {"gone", 410, "gone", "The resource is kept no longer", LOG_INFO, false},
    [FAULT_NO_ROUTE] = {"no_route", 404, "no-such-path", "There is no such path", LOG_INFO, false},
    [FAULT_METHOD] = {"method", 405, "method-not-allowed", "The path does not offer that method", LOG_INFO, false},
    [FAULT_STATE] = {"state", 409, "wrong-state", "The resource is in another state", LOG_INFO, false},
    [FAULT_BODY_TOO_LARGE] = {"body_too_large", 413, "body-too-large", "The body is too large", LOG_INFO, false},
    [FAULT_URI_TOO_LONG] = {"uri_too_long", 414, "uri-too-long", "The request line is too long", LOG_INFO, false},
    [FAULT_HEADERS_TOO_LARGE] = {"headers_too_large", 431, "headers-too-large", "The headers are too large", LOG_INFO, false},
    [FAULT_MEDIA_TYPE] = {"media_type", 415, "unsupported-media-type", "The body has another media type", LOG_INFO, false},
    [FAULT_KEY_REUSED] = {"key_reused", 422, "idempotency-key-reused", "The idempotency key belongs to another body", LOG_INFO, false},
    [FAULT_PROFILE_BOUNDS] = {"profile_bounds", 422, "profile-bounds", "The profile is too large", LOG_INFO, false},
    [FAULT_RANGE] = {"range", 416, "range-not-satisfiable", "The range lies outside the file", LOG_INFO, false},
    [FAULT_TOO_MANY] = {"too_many", 429, "too-many-requests", "A limit is reached", LOG_INFO, true},
    [FAULT_QUOTA] = {"quota", 409, "quota-exceeded", "A quota is used up", LOG_INFO, false},
    [FAULT_TIMEOUT_CLIENT] = {"timeout_client", 408, "request-timeout", "The request came too slowly", LOG_INFO, true},

    [FAULT_DB_UNAVAILABLE] = {"db_unavailable", 503, "database-unavailable", "The database does not answer", LOG_ERROR, true},
    [FAULT_DB_CONFLICT] = {"db_conflict", 503, "conflict-try-again", "Another call was in the way", LOG_WARN, true},
    [FAULT_DB_DUPLICATE] = {"db_duplicate", 500, "internal", "An error of the service", LOG_ERROR, true},
    [FAULT_DISK_FULL] = {"disk_full", 503, "storage-unavailable", "The storage takes no data", LOG_ERROR, true},
    [FAULT_DISK] = {"disk", 503, "storage-unavailable", "The storage takes no data", LOG_ERROR, true},
    [FAULT_STORE] = {"store", 500, "internal", "An error of the service", LOG_ERROR, false},
    [FAULT_OVERLOADED] = {"overloaded", 503, "overloaded", "The service is busy or restarting", LOG_WARN, true},
    [FAULT_NOT_READY] = {"not_ready", 503, "not-ready", "The service is not ready", LOG_WARN, true},
    [FAULT_MEMORY] = {"memory", 500, "internal", "An error of the service", LOG_ERROR, false},
    [FAULT_CANCELLED] = {"cancelled", 409, "wrong-state", "The resource is in another state", LOG_INFO, false},
    [FAULT_STOPPED] = {"stopped", 503, "overloaded", "The service is busy or restarting", LOG_INFO, true},
    [FAULT_LEASE_LOST] = {"lease_lost", 409, "wrong-state", "The resource is in another state", LOG_WARN, false},
    [FAULT_CONNECTION_CUT] = {"connection_cut", 400, "malformed", "The request breaks a rule", LOG_INFO, false},
    [FAULT_INTERNAL] = {"internal", 500, "internal", "An error of the service", LOG_ERROR, false},
};

const struct fault_row *fault_row(enum fault fault)
{
    INVARIANT((unsigned)fault < FAULT_COUNT);
    return &TABLE[fault];
}
