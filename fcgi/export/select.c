/*
 * select: the segments of a profile against the filter. See select.h.
 */
#include "export/select.h"

#include <string.h>

static bool select_segment(const struct spec_orders *orders, const struct spec_segment *segment,
                           const struct merge *merge)
{
    struct merge_membership wanted = {.ns = segment->ns,
                                      .id = segment->id,
                                      .statuses = segment->statuses,
                                      .from_ms = orders->qualified_from_ms,
                                      .to_ms = orders->qualified_to_ms};
    return merge_has_membership(merge, &wanted);
}

bool select_targets(const struct spec_orders *orders, bool per_segment, const struct merge *merge, bool bare, bool *in)
{
    static const struct spec_segment ANY = {.statuses = SPEC_REALIZED | SPEC_EXISTING};
    const struct spec_segment *segment = orders->segments > 0 ? orders->segment : &ANY;
    uint32_t segments = orders->segments > 0 ? orders->segments : 1;
    bool any = false;

    in[0] = !orders->qualified;
    if (!orders->qualified)
        return true;
    if (bare)
        return false;
    for (uint32_t i = 0; i < segments && (per_segment || !any); i++) {
        bool inside = select_segment(orders, &segment[i], merge);
        if (per_segment)
            in[i] = inside;
        any = any || inside;
    }
    if (!per_segment)
        in[0] = any;
    return any;
}
