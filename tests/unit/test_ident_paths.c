/*
 * test_ident_paths: the forms of ids, and that inbox and lake make paths of nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include <cmocka.h>

#include "core/ident.h"
#include "core/inbox.h"
#include "core/lake.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define DATASET "5b020a27e7040801dedba61b"
#define BATCH "da5cfb4de32c4b93a09f7e37fa53ad52"
#define UUID "f3058161-7349-4ca9-807d-212cee2c2e94"

static void hex_is_exact(void **state)
{
    static const char *const BAD[] = {
        "", "5b020a27e7040801dedba61", DATASET "0", "5B020A27E7040801DEDBA61B", "5b020a27e7040801dedba61g",
        " 5b020a27e7040801dedba61", "5b020a27e7040801dedba61 ", DATASET "\n", "5b020a27e704080-dedba61b",
        "../020a27e7040801dedba61", "5b020a27e7040801dedba6\xc3\xa9", "0x020a27e7040801dedba61b", "5b020a27/7040801dedba61b",
        "5b020a27:7040801dedba61b", "5b020a27`7040801dedba61b", BATCH, "{dataset}",
    };
    (void)state;
    assert_true(ident_is_hex(DATASET, IDENT_DATASET_DIGITS));
    assert_true(ident_is_hex("000000000000000000000000", IDENT_DATASET_DIGITS));
    assert_true(ident_is_hex(BATCH, IDENT_BATCH_DIGITS));
    assert_true(ident_is_hex("", 0));
    for (size_t i = 0; i < N(BAD); i++) {
        if (ident_is_hex(BAD[i], IDENT_DATASET_DIGITS))
            fail_msg("accepted: %s", BAD[i]);
    }
    assert_false(ident_is_hex("a", 0));
}

static void uuid_is_exact(void **state)
{
    static const char *const BAD[] = {
        "", "f3058161", "f3058161-7349-4ca9-807d-212cee2c2e9", UUID "4", UUID "\n", " " UUID, "{" UUID "}",
        "F3058161-7349-4CA9-807D-212CEE2C2E94", "f305816173494ca9807d212cee2c2e94", "f3058161_7349_4ca9_807d_212cee2c2e94",
        "f30581617-349-4ca9-807d-212cee2c2e94", "f3058161-73494-ca9-807d-212cee2c2e94", "f3058161-7349-4ca9-807d-212cee2c2e9g",
        "urn:uuid:" UUID, "------------------------------------", "f3058161-7349-4ca9-807d-21/cee2c2e94",
        "f3058161-7349-4ca9-807d-../../2c2e94", "f3058161a7349b4ca9c807dd212cee2c2e94",
    };
    (void)state;
    assert_true(ident_is_uuid(UUID));
    assert_true(ident_is_uuid("00000000-0000-0000-0000-000000000000"));
    for (size_t i = 0; i < N(BAD); i++) {
        if (ident_is_uuid(BAD[i]))
            fail_msg("accepted: %s", BAD[i]);
    }
}

/* Every beginning of an id, at the very end of a heap block: nothing is read beyond its terminator. */
static void short_ids_are_not_read_beyond(void **state)
{
    (void)state;
    for (size_t length = 0; length < IDENT_UUID_LENGTH; length++) {
        char *text = malloc(length + 1);
        memcpy(text, UUID, length);
        text[length] = '\0';
        assert_false(ident_is_uuid(text));
        memset(text, 'a', length);
        assert_int_equal(ident_is_hex(text, IDENT_BATCH_DIGITS), length == IDENT_BATCH_DIGITS);
        free(text);
    }
}

/* All paths of a module, made of the same ids. */
struct ids {
    int org, sandbox;
    const char *dataset, *batch, *object;
};

static enum fault inbox_batch(char *out, const char *root, const struct ids *i)
{
    return inbox_batch_path(out, root, i->org, i->sandbox, i->batch);
}

static enum fault inbox_file(char *out, const char *root, const struct ids *i)
{
    return inbox_file_path(out, root, i->org, i->sandbox, i->batch, i->object);
}

static enum fault lake_relative(char *out, const char *root, const struct ids *i)
{
    struct lake_batch b = {i->org, i->sandbox, i->dataset, i->batch};
    (void)root;
    return lake_attempt_relative(out, &b, i->object);
}

static enum fault lake_attempt(char *out, const char *root, const struct ids *i)
{
    struct lake_batch b = {i->org, i->sandbox, i->dataset, i->batch};
    return lake_attempt_path(out, root, &b, i->object);
}

static enum fault lake_batch_dir(char *out, const char *root, const struct ids *i)
{
    struct lake_batch b = {i->org, i->sandbox, i->dataset, i->batch};
    return lake_batch_path(out, root, &b);
}

static enum fault lake_work(char *out, const char *root, const struct ids *i)
{
    return lake_work_path(out, root, i->object);
}

enum { TENANT = 1, DATASET_ID = 2, BATCH_ID = 4, OBJECT = 8, ROOT = 16 };

static const struct {
    enum fault (*make)(char *out, const char *root, const struct ids *ids);
    unsigned uses; /* what it is made of */
    const char *path;
} PATHS[] = {
    {inbox_batch, TENANT | BATCH_ID | ROOT, "/r/7/11/" BATCH},
    {inbox_file, TENANT | BATCH_ID | OBJECT | ROOT, "/r/7/11/" BATCH "/" UUID},
    {lake_relative, TENANT | DATASET_ID | BATCH_ID | OBJECT, "7/11/" DATASET "/" BATCH "/" UUID},
    {lake_attempt, TENANT | DATASET_ID | BATCH_ID | OBJECT | ROOT, "/r/7/11/" DATASET "/" BATCH "/" UUID},
    {lake_batch_dir, TENANT | DATASET_ID | BATCH_ID | ROOT, "/r/7/11/" DATASET "/" BATCH},
    {lake_work, OBJECT | ROOT, "/r/tmp/" UUID},
};

static const struct ids GOOD = {7, 11, DATASET, BATCH, UUID};

static void paths_are_made_of_ids(void **state)
{
    char out[LAKE_PATH_MAX];
    (void)state;
    for (size_t p = 0; p < N(PATHS); p++) {
        assert_int_equal(PATHS[p].make(out, "/r", &GOOD), FAULT_NONE);
        assert_string_equal(out, PATHS[p].path);
    }
}

static const struct {
    unsigned what;
    struct ids ids;
} BAD_IDS[] = {
    {TENANT, {0, 11, DATASET, BATCH, UUID}},
    {TENANT, {-1, 11, DATASET, BATCH, UUID}},
    {TENANT, {7, 0, DATASET, BATCH, UUID}},
    {TENANT, {7, -11, DATASET, BATCH, UUID}},
    {DATASET_ID, {7, 11, "", BATCH, UUID}},
    {DATASET_ID, {7, 11, "..", BATCH, UUID}},
    {DATASET_ID, {7, 11, BATCH, BATCH, UUID}},
    {DATASET_ID, {7, 11, "5B020A27E7040801DEDBA61B", BATCH, UUID}},
    {BATCH_ID, {7, 11, DATASET, "", UUID}},
    {BATCH_ID, {7, 11, DATASET, "../../1/1/da5cfb4de32c4b93a09f7e", UUID}},
    {BATCH_ID, {7, 11, DATASET, DATASET, UUID}},
    {BATCH_ID, {7, 11, DATASET, BATCH "/x", UUID}},
    {OBJECT, {7, 11, DATASET, BATCH, ""}},
    {OBJECT, {7, 11, DATASET, BATCH, "."}},
    {OBJECT, {7, 11, DATASET, BATCH, BATCH}},
    {OBJECT, {7, 11, DATASET, BATCH, UUID "/../x"}},
    {OBJECT, {7, 11, DATASET, BATCH, "manifest.json"}},
};

static void bad_ids_make_no_path(void **state)
{
    char out[LAKE_PATH_MAX], said[512];
    (void)state;
    for (size_t p = 0; p < N(PATHS); p++) {
        for (size_t i = 0; i < N(BAD_IDS); i++) {
            if ((BAD_IDS[i].what & PATHS[p].uses) == 0)
                continue;
            strcpy(out, "left over");
            int saved = scratch_listen();
            enum fault fault = PATHS[p].make(out, "/r", &BAD_IDS[i].ids);
            scratch_heard(saved, said, sizeof said);
            if (fault != FAULT_INTERNAL || out[0] != '\0')
                fail_msg("path %zu, ids %zu: %s", p, i, out);
            assert_non_null(strstr(said, "_path reason=id"));
        }
    }
}

/* The longest root that fits, and one byte more. */
static void long_roots_are_not_cut(void **state)
{
    char out[LAKE_PATH_MAX], said[512], root[LAKE_PATH_MAX + 1];
    (void)state;
    assert_int_equal(LAKE_PATH_MAX, INBOX_PATH_MAX);
    for (size_t p = 0; p < N(PATHS); p++) {
        if ((PATHS[p].uses & ROOT) == 0)
            continue;
        size_t longest = LAKE_PATH_MAX - 1 - (strlen(PATHS[p].path) - strlen("/r"));
        memset(root, 'r', sizeof root);
        root[longest] = '\0';
        assert_int_equal(PATHS[p].make(out, root, &GOOD), FAULT_NONE);
        assert_int_equal(strlen(out), LAKE_PATH_MAX - 1);
        root[longest] = 'r';
        root[longest + 1] = '\0';
        int saved = scratch_listen();
        enum fault fault = PATHS[p].make(out, root, &GOOD);
        scratch_heard(saved, said, sizeof said);
        assert_int_equal(fault, FAULT_INTERNAL);
        assert_string_equal(out, "");
        assert_non_null(strstr(said, "reason=length"));
    }
}

/* What a backup holds, as its shell does. */
static void the_inbox_is_held_by_its_lock(void **state)
{
    char root[SCRATCH_PATH_MAX], path[SCRATCH_PATH_MAX], said[512];
    (void)state;
    scratch_path(root, "");
    scratch_path(path, "lock");
    assert_false(inbox_is_held(root)); /* there is none */
    assert_int_equal(inbox_make_lock(root), FAULT_NONE);
    assert_int_equal(inbox_make_lock(root), FAULT_NONE);
    assert_false(inbox_is_held(root));
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_true(inbox_is_held(root));
    assert_int_equal(inbox_make_lock(root), FAULT_NONE); /* a start meanwhile */
    close(fd);
    assert_false(inbox_is_held(root));
    /* what is no file of ours tells nothing */
    assert_true(unlink(path) == 0 && symlink("elsewhere", path) == 0);
    int saved = scratch_listen();
    assert_true(inbox_is_held(root));
    assert_int_equal(inbox_make_lock(root), FAULT_DISK);
    scratch_heard(saved, said, sizeof said);
    assert_non_null(strstr(said, "step=lock"));
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_exact),          cmocka_unit_test(uuid_is_exact),
        cmocka_unit_test(short_ids_are_not_read_beyond), cmocka_unit_test(paths_are_made_of_ids),
        cmocka_unit_test(bad_ids_make_no_path),  cmocka_unit_test(long_roots_are_not_cut),
        cmocka_unit_test(the_inbox_is_held_by_its_lock),
    };
    return cmocka_run_group_tests_name("ident_paths", tests, NULL, scratch_end);
}
