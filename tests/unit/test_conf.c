/*
 * test_conf: what a settings file may hold, which defaults hold without it, and what is refused.
 *
 * Settings are read once a process, so that every case is a child of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "lib/conf.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

/* Loads the file in a child, whose stderr is kept in `said`. The child's answer is its exit status:
 * 0 when it loaded and the setting has that value, 1 when it loaded, 2 when it was refused. */
static int load_path(const char *path, enum conf_key key, const char *text, int64_t number, char *said, size_t size)
{
    int saved = scratch_listen(), status = 0;
    pid_t child = fork();
    if (child == 0) {
        if (conf_load(path) != FAULT_NONE)
            _exit(2);
        bool same = text == NULL ? conf_number(key) == number : strcmp(conf_text(key), text) == 0;
        _exit(same ? 0 : 1);
    }
    waitpid(child, &status, 0);
    scratch_heard(saved, said, size);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static int load(const char *content, size_t length, enum conf_key key, const char *text, int64_t number, char *said)
{
    char path[SCRATCH_PATH_MAX];
    scratch_path(path, "consign.conf");
    scratch_write(path, content, length, 0600);
    return load_path(path, key, text, number, said, 1024);
}

static const struct {
    const char *content;
    enum conf_key key;
    const char *text; /* NULL: a number */
    int64_t number;
} GOOD[] = {
    {"", CONF_API_WORKERS, NULL, 0},
    {"api.workers = 0\n", CONF_API_WORKERS, NULL, 0},
    {"", CONF_PUBLIC_URL, "http://127.0.0.1:18080", 0},
    {"", CONF_DATABASE_API, "", 0},
    {"", CONF_EXPORT_PART_BYTES, NULL, 268435456},
    {"\n\n# only a comment\n   # another\n\t\n", CONF_TOKEN_LIFETIME_S, NULL, 86400},
    {"api.workers=3", CONF_API_WORKERS, NULL, 3},
    {"api.workers = 3\n", CONF_API_WORKERS, NULL, 3},
    {" \tapi.workers\t=\t 3 \r\n", CONF_API_WORKERS, NULL, 3},
    {"#api.workers = 4\napi.workers = 3\n", CONF_API_WORKERS, NULL, 3},
    {"api.workers = 1\n", CONF_API_WORKERS, NULL, 1},
    {"api.workers = 512\n", CONF_API_WORKERS, NULL, 512},
    {"api.scope_cache_ms = 0\n", CONF_API_SCOPE_CACHE_MS, NULL, 0},
    {"export.part_bytes = 1099511627776\n", CONF_EXPORT_PART_BYTES, NULL, INT64_C(1) << 40},
    {"api.workers = 3\nspooler.workers = 5\n", CONF_SPOOLER_WORKERS, NULL, 5},
    {"spooler.workers = 5\n", CONF_API_WORKERS, NULL, 0},
    {"database.api = host=/run/x user=consign_api password='a b=c'\n", CONF_DATABASE_API,
     "host=/run/x user=consign_api password='a b=c'", 0},
    {"token.issuers =\n", CONF_TOKEN_ISSUERS, "", 0},
    {"log.level = debug", CONF_LOG_LEVEL, "debug", 0},
    {"log.format = json\n", CONF_LOG_FORMAT, "json", 0},
    {"log.level = debug\n", CONF_LOG_FORMAT, "logfmt", 0},
};

static void reads_settings_and_defaults(void **state)
{
    char said[1024];
    (void)state;
    for (size_t i = 0; i < N(GOOD); i++) {
        int got = load(GOOD[i].content, strlen(GOOD[i].content), GOOD[i].key, GOOD[i].text, GOOD[i].number, said);
        if (got != 0 || said[0] != '\0')
            fail_msg("row %zu (%s): %d, said %s", i, GOOD[i].content, got, said);
    }
}

static const struct {
    const char *content;
    int line;
    const char *said; /* part of the message */
} BAD[] = {
    {"api.worker = 3\n", 1, "unknown setting"},
    {"API.WORKERS = 3\n", 1, "unknown setting"},
    {"api.workers.x = 3\n", 1, "unknown setting"},
    {"= 3\n", 1, "unknown setting"},
    {"\n# x\nfoo = 1\n", 3, "foo: unknown setting"},
    {"api.workers = 3\napi.workers = 3\n", 2, "given twice"},
    {"log.level = info\napi.workers = 3\nlog.level = info\n", 3, "log.level: given twice"},
    {"token.issuers =\ntoken.issuers = x\n", 2, "given twice"},
    {"token.audience =\n", 1, "printable ASCII"},
    {"token.audience = a\"b\n", 1, "printable ASCII"},
    {"public.url = http://x y\n", 1, "printable ASCII"},
    {"log.format = JSON\n", 1, "logfmt or json"},
    {"log.format =\n", 1, "logfmt or json"},
    {"api.workers\n", 1, "key = value"},
    {"api.workers 3\n", 1, "key = value"},
    {"api.workers: 3\n", 1, "key = value"},
    {"x\n", 1, "key = value"},
    {"spooler.workers = 0\n", 1, "from 1 to 256"},
    {"api.workers = 513\n", 1, "from 0 to 512"},
    {"api.workers = -1\n", 1, "from 0 to 512"},
    {"api.workers = 99999999999999999999\n", 1, "from 0 to 512"},
    {"api.workers = 18446744073709551619\n", 1, "from 0 to 512"},
    {"api.workers =\n", 1, "whole number"},
    {"api.workers = three\n", 1, "whole number"},
    {"api.workers = 3x\n", 1, "whole number"},
    {"api.workers = 3 4\n", 1, "whole number"},
    {"api.workers = 3.0\n", 1, "whole number"},
    {"api.workers = 0x10\n", 1, "whole number"},
    {"api.workers = 3 # three\n", 1, "whole number"},
    {"api.scope_cache_ms = 1001\n", 1, "from 0 to 1000"},
    {"token.lifetime_s = 59\n", 1, "from 60 to 604800"},
    {"export.part_bytes = 1099511627777\n", 1, "export.part_bytes"},
    {"api.workers = 3\nspooler.poll_ms = 9\n", 2, "spooler.poll_ms"},
};

static void refuses_and_names_the_line(void **state)
{
    char said[1024], place[SCRATCH_PATH_MAX + 16], path[SCRATCH_PATH_MAX];
    (void)state;
    scratch_path(path, "consign.conf");
    for (size_t i = 0; i < N(BAD); i++) {
        int got = load(BAD[i].content, strlen(BAD[i].content), CONF_API_WORKERS, NULL, 3, said);
        snprintf(place, sizeof place, "%s:%d: ", path, BAD[i].line);
        const char *end = strchr(said, '\n');
        if (got != 2 || strncmp(said, place, strlen(place)) != 0 || strstr(said, BAD[i].said) == NULL || end == NULL ||
            end[1] != '\0')
            fail_msg("row %zu (%s): %d, said %s", i, BAD[i].content, got, said);
    }
}

static void refuses_a_file_that_cannot_be_read(void **state)
{
    char said[1024], path[SCRATCH_PATH_MAX];
    (void)state;
    scratch_path(path, "nowhere.conf");
    assert_int_equal(load_path(path, CONF_API_WORKERS, NULL, 8, said, sizeof said), 2);
    assert_non_null(strstr(said, path));
    /* opens, but every read of it fails: that must not look like an empty file */
    assert_int_equal(load_path(scratch_directory, CONF_API_WORKERS, NULL, 8, said, sizeof said), 2);
    assert_non_null(strstr(said, scratch_directory));
}

/* Asking a text for its number, or a number for its text, is a bug of ours and ends the process. */
static void wrong_kind_of_getter_ends_the_process(void **state)
{
    char said[1024];
    (void)state;
    assert_int_equal(load("", 0, CONF_LOG_LEVEL, NULL, 0, said), 99);
    assert_non_null(strstr(said, "event=invariant"));
    assert_int_equal(load("", 0, CONF_API_WORKERS, "8", 0, said), 99);
    assert_non_null(strstr(said, "event=invariant"));
}

static void table_shows_every_setting(void **state)
{
    char *text = NULL;
    size_t size = 0;
    int rows = 0;
    (void)state;
    FILE *out = open_memstream(&text, &size);
    conf_print_table(out);
    fclose(out);
    for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
        rows++;
    assert_int_equal(rows, CONF_COUNT + 2);
    assert_non_null(strstr(text, "| `api.workers` | `0` | processes | "));
    assert_non_null(strstr(text, "| `database.api` |  |  | "));
    assert_null(strstr(text, "(null)"));
    free(text);
}

/* The file that every setting stands in is one: with all its comments made lines, each gives its default. */
static void file_shows_every_setting(void **state)
{
    char *text = NULL, said[1024];
    size_t size = 0;
    int settings = 0, length = 0;
    (void)state;
    FILE *out = open_memstream(&text, &size);
    conf_print_file(out);
    fclose(out);
    assert_int_equal(load(text, size, CONF_API_WORKERS, NULL, 0, said), 0);
    for (char *line = text; *line != '\0'; line += length + 1) {
        length = (int)strcspn(line, "\n");
        assert_true(length <= 120);
        if (line[0] == '#' && line[1] != ' ') {
            line[0] = ' ';
            settings++;
        }
    }
    assert_int_equal(settings, CONF_COUNT);
    assert_int_equal(load(text, size, CONF_SPOOLER_WORKERS, NULL, 2, said), 0);
    assert_int_equal(load(text, size, CONF_API_SOCKET, "/run/consign/api.sock", 0, said), 0);
    assert_non_null(strstr(text, "\n# how often an idle worker looks for work (ms)\n spooler.poll_ms = 25\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_settings_and_defaults),         cmocka_unit_test(refuses_and_names_the_line),
        cmocka_unit_test(refuses_a_file_that_cannot_be_read),  cmocka_unit_test(wrong_kind_of_getter_ends_the_process),
        cmocka_unit_test(table_shows_every_setting),           cmocka_unit_test(file_shows_every_setting),
    };
    return cmocka_run_group_tests_name("conf", tests, NULL, scratch_end);
}
