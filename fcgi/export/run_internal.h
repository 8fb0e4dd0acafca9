/*
 * run_internal: what run.c (the life of a run) and run_row.c (one profile) share. Nothing else includes this.
 */
#ifndef CONSIGN_EXPORT_RUN_INTERNAL_H
#define CONSIGN_EXPORT_RUN_INTERNAL_H

#include "profile/merge.h"
#include "profile/projection.h"
#include "export/preview.h"
#include "export/reader.h"
#include "export/rowschema.h"
#include "export/run.h"
#include "lib/str.h"

struct run {
    struct run_order order;
    struct run_result result;
    struct reader *reader;
    struct merge *merge;
    struct projection fields;
    struct projection event_fields;
    struct rowschema schema; /* of Parquet */
    struct str schema_text;
    struct sink *sink[RUN_TARGETS_MAX]; /* while it writes */
    struct jscan scan;                  /* of an event */
    struct str row;                     /* the profile, then its events one by one */
    bool in[RUN_TARGETS_MAX];           /* which targets take the profile at hand */
    struct tally namespaces;
    struct preview preview;
};

/* Takes one profile and its events: writes them to the targets whose filter they pass, or counts why not. */
enum fault run_take_profile(struct run *run, const struct reader_profile *profile) MUST_CHECK;

#endif
