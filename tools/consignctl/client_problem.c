/*
 * client_problem: what an answer that is no success says (contract.md sections 2 and 3). See client_problem.h.
 */
#include "consignctl/client_problem.h"

#include <stdio.h>

#include "lib/jsonio.h"
#include "lib/str.h"

#define PROBLEM_BYTES 2048
#define PROBLEM_LIMITS ((struct jscan_limits){.depth = 16, .bytes = 65536, .nodes = 4096})

/* Appends `before` and the member's text, when there is one. */
static void problem_add(struct str *line, const char *before, struct json_object *body, const char *name)
{
    const char *text = jsonio_member_text(body, name);
    if (text != NULL && *text != '\0') {
        str_append_text(line, before);
        str_append_text(line, text);
    }
}

static void problem_read(struct str *line, struct json_object *body)
{
    problem_add(line, ": ", body, "title");
    problem_add(line, ": ", body, "detail");
    problem_add(line, ": ", body, "message");
    problem_add(line, ": ", body, "error");
    problem_add(line, ": ", body, "error_description");
    problem_add(line, "; error code ", body, "error_code");
    problem_add(line, "; pointer ", body, "pointer");
    problem_add(line, "; request ", body, "requestId");
}

char *client_problem_text(char *out, size_t size, long status, const char *body, size_t length)
{
    struct arena *memory = arena_new(64);
    struct json_object *document = NULL;
    struct jsonio_refusal refusal;
    struct str line = STR_INIT(PROBLEM_BYTES);
    str_printf(&line, "status %ld", status);
    if (status >= 300 && status < 400)
        str_append_text(&line, ": the service sends us elsewhere, where the token does not go");
    else if (memory != NULL && body != NULL &&
             jsonio_parse(memory, body, length, PROBLEM_LIMITS, &document, &refusal) == FAULT_NONE)
        problem_read(&line, document);
    snprintf(out, size, "%s", line.data == NULL ? "no memory" : line.data);
    str_free(&line);
    if (memory != NULL)
        arena_free(memory);
    return out;
}
