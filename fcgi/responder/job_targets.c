/*
 * job_targets: the batches of a job with a batch for each segment. See job_targets.h.
 */
#include "responder/job_targets.h"

#include "core/ident.h"
#include "lib/crypto.h"
#include "lib/jsonio.h"

static struct json_object *job_statuses(unsigned statuses)
{
    static const struct {
        enum spec_status bit;
        const char *name;
    } NAMES[] = {{SPEC_REALIZED, "realized"}, {SPEC_EXISTING, "existing"}, {SPEC_EXITED, "exited"}};
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if ((statuses & NAMES[i].bit) != 0)
            json_object_array_add(list, json_object_new_string(NAMES[i].name));
    }
    return list;
}

const char *job_targets(struct arena *a, const struct spec_request *spec, const char *first)
{
    if (!spec->segment_per_batch)
        return NULL;
    struct json_object *targets = jsonio_own(a, json_object_new_array());
    for (uint32_t i = 0; targets != NULL && i < spec->segments; i++) {
        char batch[IDENT_BATCH_DIGITS + 1];
        struct json_object *target = json_object_new_object();
        crypto_random_hex(batch, IDENT_BATCH_DIGITS / 2);
        jsonio_add_text(target, "batch", i == 0 ? first : batch);
        jsonio_add_text(target, "ns", spec->segment[i].ns);
        jsonio_add_text(target, "id", spec->segment[i].id);
        json_object_object_add(target, "statuses", job_statuses(spec->segment[i].statuses));
        json_object_array_add(targets, target);
    }
    size_t length;
    return targets == NULL ? NULL : jsonio_print(a, targets, &length);
}
