/*
 * test_sink_parquet: Parquet files as they stand on disk: parts, memory, and what is left after a failure. That other
 * readers find every value in them is shown by tests/node/random_rows.py.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/sink.h"
#include "lib/str.h"
#include "schema_text.h"

static const char SCHEMA[] = "{\"a\":\"integer\",\"g\":{\"object\":{\"n\":\"number\",\"s\":\"string\"}},"
                             "\"identityMap\":{\"map\":{\"array\":{\"object\":{\"id\":\"string\"}}}},"
                             "\"eventList\":{\"array\":{\"object\":{\"_id\":\"string\",\"s\":\"string\"}}}}";

static char folder[64];
static int directory;
static struct rowschema schema;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_sink_parquet.XXXXXX");
    if (mkdtemp(folder) == NULL || !schema_text_read(&schema, SCHEMA, sizeof SCHEMA - 1))
        return 1;
    directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0;
}

/* Removes the folder's files; returns how many there were. */
static unsigned empty_folder(void)
{
    unsigned files = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (entry->d_name[0] != '.' && unlinkat(directory, entry->d_name, 0) == 0)
            files++;
    closedir(dir);
    return files;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)empty_folder();
    close(directory);
    schema_text_free(&schema);
    return rmdir(folder);
}

static int64_t counted; /* of the sink that was opened last */

static struct sink *open_sink(uint64_t part_bytes, size_t memory_bytes, bool always)
{
    struct sink_settings settings = {.format = SINK_PARQUET,
                                     .compression = SINK_ZSTD,
                                     .directory = directory,
                                     .part_bytes = part_bytes,
                                     .memory_bytes = memory_bytes,
                                     .always = always,
                                     .written = &counted,
                                     .schema = &schema};
    struct sink *sink;
    counted = 0;
    assert_int_equal(sink_open(&settings, &sink), FAULT_NONE);
    return sink;
}

static char *random_text(char *out, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = (char)('a' + rand() % 26);
    out[length] = '\0';
    return out;
}

/* A row of `bytes` that do not compress well. */
static enum fault write_row(struct sink *sink, unsigned number, size_t bytes)
{
    static char text[1 << 20];
    struct str row = STR_INIT(2 << 20);
    str_printf(&row, "{\"a\":%u,\"g\":{\"n\":%u.5,\"s\":\"%s\"},\"identityMap\":{\"ECID\":[{\"id\":\"%u\"}]}}", number, number,
               random_text(text, bytes), number);
    enum fault fault = sink_row_begin(sink, row.data, row.length);
    if (fault == FAULT_NONE)
        fault = sink_row_end(sink);
    str_free(&row);
    return fault;
}

/* Size, digest, name, and the marks at both ends of a part. */
static void check_part(const struct part_description *part, uint32_t number)
{
    struct str bytes = STR_INIT(256 << 20);
    char sha256[CRYPTO_SHA256_HEX];
    char buffer[65536];
    char prefix[16];
    uint32_t footer;
    snprintf(prefix, sizeof prefix, "part-%05u-", number);
    assert_memory_equal(part->name, prefix, 11);
    assert_string_equal(part->name + 11 + 36, ".zstd.parquet");
    int file = openat(directory, part->name, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    for (ssize_t got = read(file, buffer, sizeof buffer); got > 0; got = read(file, buffer, sizeof buffer))
        str_append(&bytes, buffer, (size_t)got);
    close(file);
    assert_int_equal(bytes.length, part->bytes);
    crypto_sha256_hex(bytes.data, bytes.length, sha256);
    assert_string_equal(sha256, part->sha256);
    assert_memory_equal(bytes.data, "PAR1", 4);
    assert_memory_equal(bytes.data + bytes.length - 4, "PAR1", 4);
    memcpy(&footer, bytes.data + bytes.length - 8, 4);
    assert_in_range(footer, 50, bytes.length - 12);
    str_free(&bytes);
}

static void splits_parts_at_rows(void **state)
{
    struct sink *sink = open_sink(300000, 1 << 20, false);
    uint64_t rows = 0;
    (void)state;
    srand(3);
    for (unsigned n = 0; n < 60; n++)
        assert_int_equal(write_row(sink, n, (size_t)(rand() % 90000)), FAULT_NONE);
    assert_int_equal(sink_finish(sink), FAULT_NONE);
    assert_int_equal(sink->rows, 60);
    assert_true(sink->parts > 3);
    for (uint32_t i = 0; i < sink->parts; i++) {
        check_part(&sink->part[i], i);
        assert_in_range(sink->part[i].bytes, i + 1 < sink->parts ? 150000 : 0, 500000);
        rows += sink->part[i].rows;
    }
    assert_int_equal(rows, 60);
    uint32_t parts = sink->parts;
    sink_close(sink);
    assert_int_equal(empty_folder(), parts);
}

static void no_rows_make_a_part_only_when_asked(void **state)
{
    (void)state;
    struct sink *sink = open_sink(0, 16 << 20, false);
    assert_int_equal(sink_finish(sink), FAULT_NONE);
    assert_int_equal(sink->parts, 0);
    sink_close(sink);
    assert_int_equal(empty_folder(), 0);

    sink = open_sink(0, 16 << 20, true);
    assert_int_equal(sink_finish(sink), FAULT_NONE);
    assert_int_equal(sink->parts, 1);
    assert_int_equal(sink->part[0].rows, 0);
    assert_int_equal(counted, sink->part[0].bytes);
    check_part(&sink->part[0], 0);
    sink_close(sink);
    assert_int_equal(empty_folder(), 1);

    /* parts that all ended with their row are enough */
    sink = open_sink(1, 16 << 20, true);
    assert_int_equal(write_row(sink, 1, 10), FAULT_NONE);
    assert_int_equal(sink_finish(sink), FAULT_NONE);
    assert_int_equal(sink->parts, 1);
    sink_close(sink);
    assert_int_equal(empty_folder(), 1);
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* Whatever number of rows, and of events of one row: about memory_bytes, and besides the named files nothing. */
static void keeps_to_its_memory(void **state)
{
    static const size_t memory_bytes[] = {256 << 10, 1 << 20, 16 << 20};
    char text[1001];
    struct str event = STR_INIT(4096);
    (void)state;
    srand(9);
    for (size_t m = 0; m < 3; m++) {
        size_t before = allocated(), most = 0;
        struct sink *sink = open_sink(0, memory_bytes[m], false);
        for (unsigned n = 0; n < 6000; n++)
            assert_int_equal(write_row(sink, n, 1000), FAULT_NONE);
        assert_int_equal(sink_row_begin(sink, "{\"a\":1}", 7), FAULT_NONE);
        for (unsigned n = 0; n < 20000; n++) {
            str_reset(&event);
            str_printf(&event, "{\"_id\":\"%u\",\"s\":\"%s\"}", n, random_text(text, 1000));
            assert_int_equal(sink_row_event(sink, event.data, event.length), FAULT_NONE);
            size_t held = n % 16 == 0 ? allocated() - before : 0;
            most = held > most ? held : most;
        }
        assert_int_equal(sink_row_end(sink), FAULT_NONE);
        assert_int_equal(sink_finish(sink), FAULT_NONE);
#ifndef CONSIGN_SANITIZE
        print_message("memory_bytes %zu: at most %zu\n", memory_bytes[m], most);
        assert_true(most < memory_bytes[m] + memory_bytes[m] / 4 + (64 << 10));
#endif
        assert_int_equal(sink->parts, 1);
        check_part(&sink->part[0], 0);
        sink_close(sink);
        assert_int_equal(empty_folder(), 1);
    }
    str_free(&event);
}

static void closing_unfinished_removes_every_file(void **state)
{
    (void)state;
    struct sink *sink = open_sink(1000, 256 << 10, true);
    for (unsigned n = 0; n < 20; n++)
        assert_int_equal(write_row(sink, n, 400), FAULT_NONE);
    assert_true(sink->parts > 2);
    assert_int_equal(sink_row_begin(sink, "{\"a\":1}", 7), FAULT_NONE);
    sink_close(sink);
    assert_int_equal(empty_folder(), 0);
    /* not even begun */
    sink_close(open_sink(0, 256 << 10, true));
    assert_int_equal(empty_folder(), 0);
}

/* The file size limit fails a write of the scratch file or of the part, whichever gets long first. */
static void keeps_the_first_fault(void **state)
{
    struct rlimit limit;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int scratch = 0; scratch < 2; scratch++) {
        struct rlimit small = {.rlim_cur = 200000, .rlim_max = limit.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        struct sink *sink = open_sink(scratch ? 0 : 100000, scratch ? 256 << 10 : 64 << 20, false);
        enum fault fault = FAULT_NONE;
        for (unsigned n = 0; n < 2000 && fault == FAULT_NONE; n++)
            fault = write_row(sink, n, scratch ? 5000 : 900000);
        assert_int_equal(fault, FAULT_DISK);
        assert_int_equal(sink_row_begin(sink, "{}", 2), FAULT_DISK);
        assert_int_equal(sink_row_event(sink, "{}", 2), FAULT_DISK);
        assert_int_equal(sink_row_end(sink), FAULT_DISK);
        assert_int_equal(sink_finish(sink), FAULT_DISK);
        sink_close(sink);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(empty_folder(), 0);
    }
}

static void tells_a_folder_that_is_gone(void **state)
{
    (void)state;
    struct sink_settings settings = {.format = SINK_PARQUET,
                                     .compression = SINK_PLAIN,
                                     .directory = -1,
                                     .memory_bytes = 256 << 10,
                                     .always = true,
                                     .schema = &schema};
    struct sink *sink;
    assert_int_equal(sink_open(&settings, &sink), FAULT_NONE);
    assert_int_equal(sink_row_begin(sink, "{}", 2), FAULT_DISK);
    assert_int_equal(sink_finish(sink), FAULT_DISK);
    sink_close(sink);
    assert_int_equal(sink_open(&settings, &sink), FAULT_NONE);
    assert_int_equal(sink_finish(sink), FAULT_DISK);
    sink_close(sink);
}

/* A value that its column does not hold fails the export, and no file is left. */
static void refuses_a_value_of_another_type(void **state)
{
    (void)state;
    struct sink *sink = open_sink(0, 1 << 20, true);
    assert_int_equal(write_row(sink, 1, 10), FAULT_NONE);
    assert_int_equal(sink_row_begin(sink, "{\"a\":\"x\"}", 9), FAULT_INTERNAL);
    assert_int_equal(sink_row_end(sink), FAULT_INTERNAL);
    assert_int_equal(sink_finish(sink), FAULT_INTERNAL);
    sink_close(sink);
    assert_int_equal(empty_folder(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_parts_at_rows),
        cmocka_unit_test(no_rows_make_a_part_only_when_asked),
        cmocka_unit_test(keeps_to_its_memory),
        cmocka_unit_test(closing_unfinished_removes_every_file),
        cmocka_unit_test(keeps_the_first_fault),
        cmocka_unit_test(tells_a_folder_that_is_gone),
        cmocka_unit_test(refuses_a_value_of_another_type),
    };
    return cmocka_run_group_tests_name("sink_parquet", tests, make_folder, remove_folder);
}
