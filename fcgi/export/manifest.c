/*
 * manifest: building and writing manifest.json. See manifest.h.
 */
#include "export/manifest.h"

#include <string.h>

#include "lib/str.h"

#define MOST_BYTES ((size_t)64 * 1024 * 1024)

static void append_string(struct str *text, const char *name, const char *value)
{
    str_printf(text, "\"%s\":", name);
    str_append_json(text, value, strlen(value));
}

static void append_part(struct str *text, const struct part_description *part)
{
    str_append_char(text, '{');
    append_string(text, "name", part->name);
    str_append_text(text, ",\"rows\":");
    str_append_int(text, (int64_t)part->rows);
    str_append_text(text, ",\"bytes\":");
    str_append_int(text, (int64_t)part->bytes);
    str_append_char(text, ',');
    append_string(text, "sha256", part->sha256);
    str_append_char(text, '}');
}

static void append_manifest(struct str *text, const struct manifest *manifest)
{
    str_append_text(text, "{\"version\":1,\"job\":");
    str_append_int(text, manifest->job);
    str_append_char(text, ',');
    append_string(text, "batch", manifest->batch);
    str_append_text(text, ",\"watermark\":");
    str_append_int(text, manifest->watermark_ms);
    str_append_text(text, ",\"rows\":");
    str_append_int(text, (int64_t)manifest->rows);
    str_append_text(text, ",\"files\":[");
    for (uint32_t i = 0; i < manifest->parts; i++) {
        if (i > 0)
            str_append_char(text, ',');
        append_part(text, &manifest->part[i]);
    }
    str_append_text(text, "]}\n");
}

enum fault manifest_write(int directory, const struct manifest *manifest, struct part_description *written)
{
    struct str text = STR_INIT(MOST_BYTES);
    struct part part = PART_INIT;
    struct part_description done;

    append_manifest(&text, manifest);
    enum fault fault = text.overflow ? FAULT_MEMORY : part_create(&part, directory, MANIFEST_NAME);
    if (fault == FAULT_NONE)
        fault = part_write(&part, text.data, text.length);
    if (fault == FAULT_NONE)
        fault = part_finish(&part, &done);
    if (fault == FAULT_NONE && written != NULL)
        *written = done;
    part_discard(&part);
    str_free(&text);
    return fault;
}
