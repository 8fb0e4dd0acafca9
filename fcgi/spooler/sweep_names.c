/*
 * sweep_names: names of a directory in order. See sweep_names.h.
 */
#include "spooler/sweep_names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/str.h"

bool sweep_names_dataset(const char *name)
{
    return ident_is_hex(name, IDENT_DATASET_DIGITS);
}

bool sweep_names_batch(const char *name)
{
    return ident_is_hex(name, IDENT_BATCH_DIGITS);
}

bool sweep_names_attempt(const char *name)
{
    return ident_is_uuid(name);
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Sorts, and forgets all but the first. */
static void names_cut(struct sweep_names *names)
{
    qsort(names->name, (size_t)names->count, sizeof names->name[0], names_compare);
    if (names->count > SWEEP_NAMES_MOST) {
        names->count = SWEEP_NAMES_MOST;
        names->more = true;
    }
}

void sweep_names_read(struct sweep_names *out, const char *path, const char *after, bool (*good)(const char *name))
{
    out->count = 0;
    out->more = false;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        if (errno != ENOENT && errno != ENOTDIR)
            log_event(LOG_ERROR, "directory", "what=list path=%s reason=\"%s\"", log_quote(path), strerror(errno));
        return;
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (!good(entry->d_name) || strcmp(entry->d_name, after) <= 0)
            continue;
        str_copy_fitting(out->name[out->count++], SWEEP_NAME_MAX, entry->d_name);
        if (out->count == 2 * SWEEP_NAMES_MOST)
            names_cut(out);
    }
    closedir(directory);
    names_cut(out);
}
