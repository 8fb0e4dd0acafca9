/*
 * manifest: the list of a batch's files that is published with them.
 *
 * manifest.json is the last file of an attempt: it is there, whole and synced, only when every part
 * is. Caller: the spooler before it publishes.
 */
#ifndef CONSIGN_EXPORT_MANIFEST_H
#define CONSIGN_EXPORT_MANIFEST_H

#include <stdint.h>

#include "export/part.h"
#include "lib/fault.h"

#define MANIFEST_NAME "manifest.json"

struct manifest {
    int64_t job;
    const char *batch;    /* 32 hex */
    int64_t watermark_ms; /* everything ingested up to it is in the batch */
    uint64_t rows;
    const struct part_description *part;
    uint32_t parts;
};

/* Writes manifest.json into the directory and syncs the file; the directory itself is synced by the
 * publisher. The file must not exist yet. *written, unless NULL, describes it, with 0 rows.
 * FAULT_DISK, FAULT_DISK_FULL, FAULT_MEMORY; no file is left behind then. */
enum fault manifest_write(int directory, const struct manifest *manifest, struct part_description *written) MUST_CHECK;

#endif
