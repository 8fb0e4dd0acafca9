/*
 * test_sink_json: parts and manifest as they stand on disk, and what is left after a failure.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "export/manifest.h"
#include "export/sink.h"
#include "lib/str.h"

static char folder[64];
static int directory;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_sink_json.XXXXXX");
    if (mkdtemp(folder) == NULL)
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
    return rmdir(folder);
}

/* The file's bytes in *bytes. */
static void read_file(const char *name, struct str *bytes)
{
    char buffer[65536];
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    for (ssize_t got = read(file, buffer, sizeof buffer); got > 0; got = read(file, buffer, sizeof buffer))
        str_append(bytes, buffer, (size_t)got);
    close(file);
}

/* Checks size, digest and name of a described part and appends its lines to *lines. */
static void check_part(const struct part_description *part, uint32_t number, bool compressed, struct str *lines)
{
    struct str bytes = STR_INIT(256 << 20);
    char sha256[CRYPTO_SHA256_HEX];
    char prefix[16];
    size_t name_length = strlen(part->name);
    const char *suffix = compressed ? ".json.zst" : ".json";

    snprintf(prefix, sizeof prefix, "part-%05u-", number);
    assert_memory_equal(part->name, prefix, 11);
    assert_int_equal(name_length, 11 + 36 + strlen(suffix));
    assert_string_equal(part->name + name_length - strlen(suffix), suffix);
    assert_int_equal(part->name[11 + 14], '4');

    read_file(part->name, &bytes);
    assert_int_equal(bytes.length, part->bytes);
    crypto_sha256_hex(bytes.data, bytes.length, sha256);
    assert_string_equal(sha256, part->sha256);
    if (!compressed) {
        str_append(lines, bytes.data, bytes.length);
    } else {
        size_t most = 64 << 20;
        char *plain = malloc(most);
        assert_non_null(plain);
        size_t length = ZSTD_decompress(plain, most, bytes.data, bytes.length);
        assert_false(ZSTD_isError(length));
        str_append(lines, plain, length);
        free(plain);
    }
    str_free(&bytes);
}

static int64_t counted; /* of the sink that was opened last */

static struct sink *open_sink(enum sink_compression compression, uint64_t part_bytes)
{
    struct sink_settings settings = {.format = SINK_JSON,
                                     .directory = directory,
                                     .compression = compression,
                                     .part_bytes = part_bytes,
                                     .memory_bytes = 16 << 20,
                                     .written = &counted};
    struct sink *sink;
    counted = 0;
    assert_int_equal(sink_open(&settings, &sink), FAULT_NONE);
    return sink;
}

/* A row with up to two events. */
static enum fault write_row(struct sink *sink, const char *profile, const char *first, const char *second)
{
    enum fault fault = sink_row_begin(sink, profile, strlen(profile));
    if (fault == FAULT_NONE && first != NULL)
        fault = sink_row_event(sink, first, strlen(first));
    if (fault == FAULT_NONE && second != NULL)
        fault = sink_row_event(sink, second, strlen(second));
    return fault == FAULT_NONE ? sink_row_end(sink) : fault;
}

/* A row of about `bytes` that does not compress well. */
static void make_row(struct str *row, size_t bytes)
{
    str_reset(row);
    str_append_text(row, "{\"r\":\"");
    while (row->length < bytes)
        str_append_char(row, (char)('a' + rand() % 26));
    str_append_text(row, "\"}");
}

static void writes_one_part(void **state)
{
    static const enum sink_compression way[] = {SINK_ZSTD, SINK_PLAIN};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sink *sink = open_sink(way[i], 0);
        struct str lines = STR_INIT(1 << 20);
        struct stat status;
        assert_int_equal(write_row(sink, "{\"a\":1}", NULL, NULL), FAULT_NONE);
        assert_int_equal(write_row(sink, "{}", NULL, NULL), FAULT_NONE);
        assert_int_equal(sink_finish(sink), FAULT_NONE);
        assert_int_equal(sink->rows, 2);
        assert_int_equal(sink->parts, 1);
        assert_int_equal(sink->part[0].rows, 2);
        assert_int_equal(counted, sink->part[0].bytes);
        check_part(&sink->part[0], 0, way[i] == SINK_ZSTD, &lines);
        assert_string_equal(lines.data, "{\"a\":1}\n{}\n");
        assert_int_equal(fstatat(directory, sink->part[0].name, &status, 0), 0);
        assert_int_equal(status.st_mode & 0007, 0);
        sink_close(sink);
        assert_int_equal(empty_folder(), 1);
        str_free(&lines);
    }
}

static void splits_parts_at_rows(void **state)
{
    static const enum sink_compression way[] = {SINK_ZSTD, SINK_PLAIN};
    struct str row = STR_INIT(1 << 20);
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct sink *sink = open_sink(way[i], 300000);
        struct str written = STR_INIT(64 << 20);
        struct str lines = STR_INIT(64 << 20);
        uint64_t rows = 0;
        srand(3);
        for (int n = 0; n < 60; n++) {
            make_row(&row, (size_t)(rand() % 90000));
            assert_int_equal(write_row(sink, row.data, NULL, NULL), FAULT_NONE);
            str_printf(&written, "%s\n", row.data);
        }
        assert_int_equal(sink_finish(sink), FAULT_NONE);
        assert_true(sink->parts > 3);
        for (uint32_t p = 0; p < sink->parts; p++) {
            check_part(&sink->part[p], p, way[i] == SINK_ZSTD, &lines);
            assert_true(sink->part[p].bytes < 300000 + 90000 + 262144);
            rows += sink->part[p].rows;
        }
        assert_int_equal(rows, 60);
        assert_int_equal(lines.length, written.length);
        assert_memory_equal(lines.data, written.data, written.length);
        uint32_t parts = sink->parts;
        sink_close(sink);
        assert_int_equal(empty_folder(), parts);
        str_free(&written);
        str_free(&lines);
    }
    str_free(&row);
}

/* The events of a profile are its member eventList, whatever other members it has. */
static void adds_events_to_their_profile(void **state)
{
    static const char expected[] = "{\"a\":1,\"eventList\":[{\"e\":1}]}\n"
                                   "{\"eventList\":[{\"e\":2},{}]}\n"
                                   "{ \"eventList\":[{\"e\":3}]}\n"
                                   "{\"a\":\"{\",\"eventList\":[{}]}\n"
                                   "{\"a\":1}\n";
    struct sink *sink = open_sink(SINK_PLAIN, 0);
    struct str lines = STR_INIT(1 << 20);
    (void)state;
    assert_int_equal(write_row(sink, "{\"a\":1}", "{\"e\":1}", NULL), FAULT_NONE);
    assert_int_equal(write_row(sink, "{}", "{\"e\":2}", "{}"), FAULT_NONE);
    assert_int_equal(write_row(sink, "{ }", "{\"e\":3}", NULL), FAULT_NONE);
    assert_int_equal(write_row(sink, "{\"a\":\"{\"}", "{}", NULL), FAULT_NONE);
    assert_int_equal(write_row(sink, "{\"a\":1}", NULL, NULL), FAULT_NONE);
    assert_int_equal(sink_finish(sink), FAULT_NONE);
    check_part(&sink->part[0], 0, false, &lines);
    assert_string_equal(lines.data, expected);
    sink_close(sink);
    assert_int_equal(empty_folder(), 1);
    str_free(&lines);
}

/* A row far longer than any buffer, in events that do not compress, so that the compressor has more
 * to give at its end than one buffer takes. */
static void streams_a_long_row(void **state)
{
    static const size_t memory_bytes[] = {256 << 10, 16 << 20};
    static const unsigned events[] = {1, 127, 128, 129, 4000};
    struct str event = STR_INIT(1 << 20);
    (void)state;
    srand(5);
    for (size_t i = 0; i < 2 * sizeof events / sizeof events[0]; i++) {
        struct sink_settings settings = {.directory = directory, .part_bytes = 1, .memory_bytes = memory_bytes[i % 2]};
        struct sink *sink;
        struct str row = STR_INIT(8 << 20);
        struct str lines = STR_INIT(8 << 20);
        assert_int_equal(sink_open(&settings, &sink), FAULT_NONE);
        str_append_text(&row, "{\"eventList\":[");
        assert_int_equal(sink_row_begin(sink, "{}", 2), FAULT_NONE);
        for (unsigned n = 0; n < events[i / 2]; n++) {
            make_row(&event, 1000);
            str_printf(&row, "%s%s", n == 0 ? "" : ",", event.data);
            assert_int_equal(sink_row_event(sink, event.data, event.length), FAULT_NONE);
        }
        str_append_text(&row, "]}\n");
        assert_int_equal(sink_row_end(sink), FAULT_NONE);
        assert_int_equal(sink_finish(sink), FAULT_NONE);
        assert_int_equal(sink->parts, 1);
        check_part(&sink->part[0], 0, true, &lines);
        assert_int_equal(lines.length, row.length);
        assert_memory_equal(lines.data, row.data, row.length);
        sink_close(sink);
        assert_int_equal(empty_folder(), 1);
        str_free(&row);
        str_free(&lines);
    }
    str_free(&event);
}

/* Fifty sinks at once under segmentPerBatch: each keeps to its memory. */
static void keeps_to_its_memory(void **state)
{
    struct sink_settings settings = {.directory = directory, .memory_bytes = 256 << 10};
    struct str row = STR_INIT(1 << 20);
    struct sink *sink[20];
    (void)state;
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    for (int i = 0; i < 20; i++)
        assert_int_equal(sink_open(&settings, &sink[i]), FAULT_NONE);
    for (int n = 0; n < 2000; n++) {
        make_row(&row, 1000);
        assert_int_equal(write_row(sink[n % 20], row.data, NULL, NULL), FAULT_NONE);
    }
    size_t held = mallinfo2().uordblks + mallinfo2().hblkhd - before;
#ifndef CONSIGN_SANITIZE
    assert_true(held < 20 * (size_t)(320 << 10));
#endif
    (void)held;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(sink_finish(sink[i]), FAULT_NONE);
        sink_close(sink[i]);
    }
    assert_int_equal(empty_folder(), 20);
    str_free(&row);
}

static void no_rows_make_no_part(void **state)
{
    (void)state;
    struct sink *sink = open_sink(SINK_ZSTD, 0);
    assert_int_equal(sink_finish(sink), FAULT_NONE);
    assert_int_equal(sink->parts, 0);
    assert_int_equal(sink->rows, 0);
    sink_close(sink);
    sink_close(NULL);
    assert_int_equal(empty_folder(), 0);
}

static void closing_unfinished_removes_every_file(void **state)
{
    struct str row = STR_INIT(1 << 20);
    (void)state;
    struct sink *sink = open_sink(SINK_PLAIN, 1000);
    for (int n = 0; n < 20; n++) {
        make_row(&row, 400);
        assert_int_equal(write_row(sink, row.data, NULL, NULL), FAULT_NONE);
    }
    assert_true(sink->parts > 2);
    assert_int_equal(sink_row_begin(sink, "{}", 2), FAULT_NONE);
    sink_close(sink);
    assert_int_equal(empty_folder(), 0);
    str_free(&row);
}

static void tells_a_full_disk(void **state)
{
    (void)state;
    /* The device whose every write is ENOSPC, under the name that the part is created by. */
    struct part part = PART_INIT;
    assert_int_equal(part_create(&part, directory, "full"), FAULT_NONE);
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    if (full < 0)
        skip();
    assert_true(dup2(full, part.file) >= 0);
    close(full);
    assert_int_equal(part_write(&part, "x", 1), FAULT_DISK_FULL);
    part_discard(&part);
    assert_int_equal(empty_folder(), 0);
}

static void tells_other_failures(void **state)
{
    struct part part = PART_INIT;
    struct part_description done;
    (void)state;
    assert_int_equal(part_create(&part, -1, "nowhere"), FAULT_DISK);
    part_discard(&part);
    assert_int_equal(part_create(&part, directory, "missing/file"), FAULT_DISK);
    part_discard(&part);

    assert_int_equal(part_create(&part, directory, "twice"), FAULT_NONE);
    assert_int_equal(part_finish(&part, &done), FAULT_NONE);
    assert_int_equal(part_create(&part, directory, "twice"), FAULT_DISK);
    part_discard(&part);
    assert_int_equal(symlinkat("elsewhere", directory, "link"), 0);
    assert_int_equal(part_create(&part, directory, "link"), FAULT_DISK);
    part_discard(&part);
    assert_int_equal(empty_folder(), 2);

    /* What cannot be synced is no part. */
    int ends[2];
    assert_int_equal(part_create(&part, directory, "pipe"), FAULT_NONE);
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], part.file) >= 0);
    assert_int_equal(part_finish(&part, &done), FAULT_DISK);
    part_discard(&part);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(empty_folder(), 0);
}

/* The file size limit fails a write in the middle of a part. */
static void keeps_the_first_fault(void **state)
{
    struct rlimit limit;
    struct rlimit small;
    struct str row = STR_INIT(1 << 20);
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 200000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);

    struct sink *sink = open_sink(SINK_PLAIN, 0);
    enum fault fault = FAULT_NONE;
    for (int n = 0; n < 20 && fault == FAULT_NONE; n++) {
        make_row(&row, 40000);
        fault = write_row(sink, row.data, NULL, NULL);
    }
    assert_int_equal(fault, FAULT_DISK);
    assert_int_equal(sink_row_begin(sink, "{}", 2), FAULT_DISK);
    assert_int_equal(sink_row_event(sink, "{}", 2), FAULT_DISK);
    assert_int_equal(sink_row_end(sink), FAULT_DISK);
    assert_int_equal(sink_finish(sink), FAULT_DISK);
    sink_close(sink);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(empty_folder(), 0);
    str_free(&row);
}

static void writes_the_manifest(void **state)
{
    static const struct part_description part[] = {
        {.name = "part-00000-x.json.zst", .rows = 3, .bytes = 77, .sha256 = "00ff"},
        {.name = "part-00001-y.json.zst", .rows = 1, .bytes = 9007199254740991, .sha256 = "11"},
    };
    static const char expected[] =
        "{\"version\":1,\"job\":24115,\"batch\":\"da5cfb4de32c4b93a09f7e37fa53ad52\",\"watermark\":1559674261657,"
        "\"rows\":4,\"files\":[{\"name\":\"part-00000-x.json.zst\",\"rows\":3,\"bytes\":77,\"sha256\":\"00ff\"},"
        "{\"name\":\"part-00001-y.json.zst\",\"rows\":1,\"bytes\":9007199254740991,\"sha256\":\"11\"}]}\n";
    struct manifest manifest = {.job = 24115,
                                .batch = "da5cfb4de32c4b93a09f7e37fa53ad52",
                                .watermark_ms = 1559674261657,
                                .rows = 4,
                                .part = part,
                                .parts = 2};
    struct part_description written;
    struct str bytes = STR_INIT(4096);
    char sha256[CRYPTO_SHA256_HEX];
    (void)state;
    assert_int_equal(manifest_write(directory, &manifest, &written), FAULT_NONE);
    read_file(MANIFEST_NAME, &bytes);
    assert_string_equal(bytes.data, expected);
    crypto_sha256_hex(expected, sizeof expected - 1, sha256);
    assert_string_equal(written.name, MANIFEST_NAME);
    assert_string_equal(written.sha256, sha256);
    assert_int_equal(written.bytes, sizeof expected - 1);
    assert_int_equal(written.rows, 0);

    /* Never over another one. */
    assert_int_equal(manifest_write(directory, &manifest, NULL), FAULT_DISK);
    assert_int_equal(empty_folder(), 1);

    str_reset(&bytes);
    manifest = (struct manifest){.job = 1, .batch = ""};
    assert_int_equal(manifest_write(directory, &manifest, NULL), FAULT_NONE);
    read_file(MANIFEST_NAME, &bytes);
    assert_string_equal(bytes.data,
                        "{\"version\":1,\"job\":1,\"batch\":\"\",\"watermark\":0,\"rows\":0,\"files\":[]}\n");
    assert_int_equal(empty_folder(), 1);
    assert_int_equal(manifest_write(-1, &manifest, NULL), FAULT_DISK);
    str_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_one_part),
        cmocka_unit_test(splits_parts_at_rows),
        cmocka_unit_test(adds_events_to_their_profile),
        cmocka_unit_test(streams_a_long_row),
        cmocka_unit_test(keeps_to_its_memory),
        cmocka_unit_test(no_rows_make_no_part),
        cmocka_unit_test(closing_unfinished_removes_every_file),
        cmocka_unit_test(tells_a_full_disk),
        cmocka_unit_test(tells_other_failures),
        cmocka_unit_test(keeps_the_first_fault),
        cmocka_unit_test(writes_the_manifest),
    };
    return cmocka_run_group_tests_name("sink_json", tests, make_folder, remove_folder);
}
