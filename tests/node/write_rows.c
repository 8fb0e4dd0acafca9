/*
 * write_rows: rows from standard input through the real Parquet sink, for the tests of tests/node.
 *
 *   write_rows FOLDER SCHEMA zstd|none PART_BYTES MEMORY_BYTES < rows
 *
 * SCHEMA is a file with the columns as tests/unit/schema_text.h reads them. A line of the input is
 * P and a profile's JSON, or E and an event's, which belongs to the profile before it. Prints the names of the
 * parts, then the number of rows. Ends with 1 and the fault's name after a fault.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "export/rowschema.h"
#include "export/sink.h"
#include "lib/log.h"
#include "../unit/schema_text.h"

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "write_rows: %s\n", what);
    exit(1);
}

static char *read_all(const char *path, size_t *length)
{
    size_t capacity = (size_t)64 << 20;
    FILE *file = fopen(path, "r");
    char *text = malloc(capacity);
    if (file == NULL || text == NULL)
        fail("no schema");
    *length = fread(text, 1, capacity - 1, file);
    text[*length] = '\0';
    fclose(file);
    return text;
}

static enum fault write_rows(struct sink *sink)
{
    enum fault fault = FAULT_NONE;
    char *line = NULL;
    size_t capacity = 0;
    bool open = false;
    for (ssize_t got = getline(&line, &capacity, stdin); got > 1 && fault == FAULT_NONE;
         got = getline(&line, &capacity, stdin)) {
        size_t length = (size_t)got - (line[got - 1] == '\n' ? 1 : 0) - 1;
        if (line[0] == 'E') {
            fault = sink_row_event(sink, line + 1, length);
            continue;
        }
        if (open)
            fault = sink_row_end(sink);
        open = true;
        if (fault == FAULT_NONE)
            fault = sink_row_begin(sink, line + 1, length);
    }
    free(line);
    if (fault == FAULT_NONE && open)
        fault = sink_row_end(sink);
    return fault == FAULT_NONE ? sink_finish(sink) : fault;
}

int main(int argc, char **argv)
{
    struct rowschema schema;
    struct sink *sink = NULL;
    size_t length;
    if (argc != 6)
        fail("five arguments");
    log_open("write_rows", LOG_WARN);
    char *text = read_all(argv[2], &length);
    if (!schema_text_read(&schema, text, length))
        fail("bad schema");
    free(text);
    struct sink_note note[] = {{"consign.test", "w\xc3\xa4rt"}};
    struct sink_settings settings = {
        .format = SINK_PARQUET,
        .compression = strcmp(argv[3], "zstd") == 0 ? SINK_ZSTD : SINK_PLAIN,
        .directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .part_bytes = strtoull(argv[4], NULL, 10),
        .memory_bytes = (size_t)strtoull(argv[5], NULL, 10),
        .always = true,
        .schema = &schema,
        .note = note,
        .notes = 1,
    };
    enum fault fault = sink_open(&settings, &sink);
    if (fault == FAULT_NONE)
        fault = write_rows(sink);
    if (fault != FAULT_NONE)
        printf("%s\n", fault_row(fault)->name);
    for (uint32_t i = 0; fault == FAULT_NONE && i < sink->parts; i++)
        printf("%s\n", sink->part[i].name);
    if (fault == FAULT_NONE)
        printf("%" PRIu64 "\n", sink->rows);
    sink_close(sink);
    schema_text_free(&schema);
    return fault == FAULT_NONE ? 0 : 1;
}
