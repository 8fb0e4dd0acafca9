/*
 * select: which batches of an export a profile goes into, by its segments (contract.md section 5).
 * Caller: export/run.
 */
#ifndef CONSIGN_EXPORT_SELECT_H
#define CONSIGN_EXPORT_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/spec.h"
#include "profile/merge.h"

/* Whether any target takes the profile that `merge` read last; in[i] tells for target i. With per_segment target
 * i is that of orders->segment[i], else there is one target. `bare`: the profile has events only, and so is
 * in no segment. */
bool select_targets(const struct spec_orders *orders, bool per_segment, const struct merge *merge, bool bare, bool *in);

#endif
