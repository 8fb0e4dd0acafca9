/*
 * test_issuer: the settings file, and that key sets follow their files and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/issuer.h"
#include "core/token.h"
#include "forge.h"
#include "lib/clock.h"
#include "scratch.h"
#include "vectors.h"

#define N(array) (sizeof(array) / sizeof(array)[0])
#define NOW 1700000000
#define NAME "https://issuer.example"

static struct arena *arena;
static EVP_PKEY *one, *two;
static char said[65536], keys_path[SCRATCH_PATH_MAX], list_path[SCRATCH_PATH_MAX];
static struct issuers *list;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(2 * 1024 * 1024);
    one = forge_p256();
    two = forge_ed25519();
    scratch_path(list_path, "issuers");
    return arena == NULL || one == NULL || two == NULL;
}

static int tear_down(void **state)
{
    EVP_PKEY_free(one);
    EVP_PKEY_free(two);
    arena_free(arena);
    return scratch_end(state);
}

static int begin(void **state)
{
    (void)state;
    arena_reset(arena);
    issuers_free(list);
    list = issuers_new();
    scratch_path(keys_path, "keys.json");
    unlink(keys_path);
    return list == NULL;
}

static int end(void **state)
{
    (void)state;
    issuers_free(list);
    list = NULL;
    return 0;
}

static void write_keys(const char *text)
{
    scratch_write(keys_path, text, strlen(text), 0600);
}

/* Adds the issuer whose keys are in keys_path. */
static const struct issuer *add(void)
{
    int saved = scratch_listen();
    enum fault fault = issuers_add(list, arena, NAME, ISSUER_RFC9068, "consign", keys_path);
    scratch_heard(saved, said, sizeof said);
    assert_int_equal(fault, FAULT_NONE);
    return &list->issuer[list->count - 1];
}

/* Looks at the files now, whenever the last look was. */
static void look_with(struct arena *a)
{
    int saved = scratch_listen();
    list->looked_ms = 0;
    issuers_refresh(list, a);
    scratch_heard(saved, said, sizeof said);
}

static void look(void)
{
    look_with(arena);
}

/* The reason why a token of this key is refused, NULL when it is good. */
static const char *verdict(EVP_PKEY *pair, const char *kid)
{
    struct token_claims claims;
    const char *reason = NULL;
    const char *header = arena_printf(arena, "{\"alg\":\"%s\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", forge_algorithm(pair), kid);
    const char *token = forge_token(arena, pair, header, "{\"iss\":\"" NAME "\",\"aud\":\"consign\",\"exp\":1700000600,\"client_id\":\"c\"}");
    return token_verify(list, arena, token, strlen(token), NOW, &claims, &reason) ? NULL : reason;
}

/* `count` issuers, or -1: refused at line `line`. */
static const struct {
    const char *text;
    int count, line;
} SETTINGS[] = {
    {"", 0, 0}, {"\n\n", 0, 0}, {"# a comment\n#another x\n   # indented\n", 0, 0}, {" \t \n", 0, 0},
    {"https://a rfc9068 consign /nowhere\n", 1, 0}, {"https://a rfc9068 consign /nowhere", 1, 0}, {"  https://a\trfc9068  consign\t/nowhere  \r\n", 1, 0},
    {"https://a ims consign /nowhere\n", 1, 0}, {"ims-na1 ims - /nowhere\n", 1, 0},
    {"# two\nhttps://a rfc9068 consign /nowhere\n\nims ims - /nowhere\n", 2, 0},
    {"a rfc9068 consign /nowhere\nb rfc9068 consign /nowhere\n", 2, 0}, /* two names, one file */
    {"a\n", -1, 1}, {"a rfc9068\n", -1, 1}, {"a rfc9068 consign\n", -1, 1}, {"a rfc9068 consign /x y\n", -1, 1}, {"a rfc9068 consign /x y z\n", -1, 1},
    {"a rfc9068 consign /x # comment\n", -1, 1}, {"a RFC9068 consign /x\n", -1, 1}, {"a oidc consign /x\n", -1, 1}, {"a none consign /x\n", -1, 1},
    {"a  consign /x\n", -1, 1}, {"a rfc9068 - /x\n", -1, 1}, /* an access token has an audience: RFC 9068 section 4 */
    {"a rfc9068 consign x\n", -1, 1}, {"a rfc9068 consign ./x\n", -1, 1}, {"a rfc9068 consign http://x/jwks\n", -1, 1},
    {"a ims - https://x/jwks\n", -1, 1}, {"a rfc9068 consign /x\nb ims /x\n", -1, 2}, {"#\n\na rfc9068 consign /x\na ims - /x\n", -1, 4},
    {"a rfc9068 consign /x\na rfc9068 consign /x\n", -1, 2}, {"own rfc9068 consign /x\n", -1, 1},
};

static void settings_lines(void **state)
{
    (void)state;
    unlink(keys_path);
    for (size_t i = 0; i < N(SETTINGS); i++) {
        issuers_free(list);
        list = issuers_new();
        arena_reset(arena);
        assert_int_equal(issuers_add_own(list, arena, "own", "consign", forge_jwks(arena, one, "k")), FAULT_NONE);
        scratch_write(list_path, SETTINGS[i].text, strlen(SETTINGS[i].text), 0600);
        int saved = scratch_listen();
        enum fault fault = issuers_read(list, arena, list_path);
        scratch_heard(saved, said, sizeof said);
        if (SETTINGS[i].count >= 0 && (fault != FAULT_NONE || list->count != 1 + SETTINGS[i].count))
            fail_msg("row %zu: fault %d, %d issuers: %s", i, (int)fault, list->count, said);
        char where[32];
        snprintf(where, sizeof where, "line=%d ", SETTINGS[i].line);
        if (SETTINGS[i].count < 0 && (fault != FAULT_MALFORMED || strstr(said, "event=issuers") == NULL || strstr(said, where) == NULL))
            fail_msg("row %zu: fault %d: %s", i, (int)fault, said);
    }
}

static void settings_are_taken_over(void **state)
{
    (void)state;
    write_keys(forge_jwks(arena, one, "k"));
    const char *text = arena_printf(arena, "https://a rfc9068 consign %s\nims-na1 ims - %s\nims-na2 ims aud %s\n", keys_path, keys_path, keys_path);
    scratch_write(list_path, text, strlen(text), 0600);
    assert_int_equal(issuers_read(list, arena, list_path), FAULT_NONE);
    assert_int_equal(list->count, 3);
    const struct issuer *a = issuers_find(list, "https://a"), *b = issuers_find(list, "ims-na1"), *c = issuers_find(list, "ims-na2");
    assert_true(a != NULL && b != NULL && c != NULL);
    assert_null(issuers_find(list, "ims"));
    assert_null(issuers_find(list, ""));
    assert_null(issuers_find(list, "HTTPS://a"));
    assert_int_equal(a->profile, ISSUER_RFC9068);
    assert_int_equal(b->profile, ISSUER_IMS);
    assert_string_equal(a->audience, "consign");
    assert_null(b->audience);
    assert_string_equal(c->audience, "aud");
    assert_string_equal(c->file, keys_path);
    assert_true(!a->refused && a->keys != NULL && b->keys != NULL && a->loaded_ms > 0);
}

static void no_settings_file_is_a_fault(void **state)
{
    char path[SCRATCH_PATH_MAX];
    (void)state;
    int saved = scratch_listen();
    scratch_path(path, "none");
    assert_int_equal(issuers_read(list, arena, path), FAULT_MALFORMED);
    scratch_path(path, "");
    assert_int_equal(issuers_read(list, arena, path), FAULT_MALFORMED); /* a directory */
    scratch_heard(saved, said, sizeof said);
}

static void the_list_is_bounded(void **state)
{
    (void)state;
    int saved = scratch_listen();
    for (int i = 0; i < ISSUERS_MAX; i++)
        assert_int_equal(issuers_add(list, arena, arena_printf(arena, "i%d", i), ISSUER_IMS, NULL, "/nowhere"), FAULT_NONE);
    assert_int_equal(issuers_add(list, arena, "more", ISSUER_IMS, NULL, "/nowhere"), FAULT_MALFORMED);
    scratch_heard(saved, said, sizeof said);
    assert_int_equal(list->count, ISSUERS_MAX);
}

static void our_own_set_must_be_good(void **state)
{
    (void)state;
    assert_int_equal(issuers_add_own(list, arena, "own", "consign", "{\"keys\":[]}"), FAULT_INTERNAL);
}

static void a_new_key_works_and_a_removed_key_stops(void **state)
{
    unsigned char first[CRYPTO_SHA256_BYTES];
    (void)state;
    write_keys(forge_jwks(arena, one, "1"));
    const struct issuer *issuer = add();
    memcpy(first, list->generation, sizeof first);
    assert_null(verdict(one, "1"));
    assert_string_equal(verdict(two, "2"), "kid");

    write_keys(arena_printf(arena, "{\"keys\":[%s,%s]}", forge_jwk(arena, one, ",\"kid\":\"1\""), forge_jwk(arena, two, ",\"kid\":\"2\"")));
    look();
    assert_non_null(strstr(said, "event=key_set "));
    assert_null(verdict(one, "1"));
    assert_null(verdict(two, "2"));
    assert_string_equal(verdict(two, "1"), "alg");
    assert_memory_not_equal(list->generation, first, sizeof first);

    write_keys(forge_jwks(arena, two, "2"));
    look();
    assert_string_equal(verdict(one, "1"), "kid");
    assert_null(verdict(two, "2"));
    assert_int_equal(jwks_count(issuer->keys), 1);
    look();
    assert_string_equal(said, ""); /* nothing changed */

    write_keys(forge_jwks(arena, one, "1")); /* and back: what it was is what it is */
    look();
    assert_memory_equal(list->generation, first, sizeof first);
}

/* Every sort of no key set. */
static void put_bad(int sort)
{
    char *big;
    switch (sort) {
    case 0: unlink(keys_path); break;
    case 1: write_keys(""); break;
    case 2: write_keys("{\"keys\":[]}"); break;
    case 3: write_keys("{\"keys\":["); break;
    case 4: write_keys("-----BEGIN PUBLIC KEY-----"); break;
    case 5: write_keys("{\"keys\":[{" VECTOR_HMAC "}]}"); break;
    case 6: write_keys("{\"keys\":[{" VECTOR_ED ",\"kid\":\"a\"},{" VECTOR_EC ",\"kid\":\"a\"}]}"); break;
    case 7: write_keys("<html>502 Bad Gateway</html>"); break;
    case 8:
        big = arena_alloc(arena, JWKS_TEXT_MAX + 1);
        memset(big, ' ', JWKS_TEXT_MAX + 1);
        memcpy(big, forge_jwks(arena, two, "2"), strlen(forge_jwks(arena, two, "2")));
        scratch_write(keys_path, big, JWKS_TEXT_MAX + 1, 0600);
        break;
    case 9:
        unlink(keys_path);
        assert_int_equal(mkdir(keys_path, 0700), 0);
        break;
    case 10:
        unlink(keys_path);
        assert_int_equal(mkfifo(keys_path, 0600), 0); /* nobody writes to it: it must not hang */
        break;
    default:
        unlink(keys_path);
        assert_int_equal(symlink("/nowhere/at/all", keys_path), 0);
    }
}

static void a_bad_file_keeps_the_last_good_set(void **state)
{
    (void)state;
    for (int sort = 0; sort < 12; sort++) {
        unsigned char generation[CRYPTO_SHA256_BYTES];
        begin(NULL);
        write_keys(forge_jwks(arena, one, "1"));
        const struct issuer *issuer = add();
        memcpy(generation, list->generation, sizeof generation);
        int64_t loaded_ms = issuer->loaded_ms;
        put_bad(sort);
        look();
        if (strstr(said, "event=key_set_refused") == NULL || strstr(said, "level=error") == NULL || strstr(said, "kept=1") == NULL ||
            strstr(said, "issuer=\"" NAME "\"") == NULL)
            fail_msg("sort %d: %s", sort, said);
        if (sort == 8) /* known by its size, before it is read */
            assert_non_null(strstr(said, "too large"));
        assert_true(issuer->refused);
        assert_int_equal(issuer->loaded_ms, loaded_ms);
        assert_memory_equal(list->generation, generation, sizeof generation);
        assert_null(verdict(one, "1"));
        assert_string_equal(verdict(two, "2"), "kid");
        look();
        assert_string_equal(said, ""); /* once a change */
        rmdir(keys_path);
        write_keys(forge_jwks(arena, two, "2"));
        look();
        assert_false(issuer->refused);
        assert_string_equal(verdict(one, "1"), "kid");
        assert_null(verdict(two, "2"));
        end(NULL);
    }
    begin(NULL);
}

static void a_file_that_comes_late_is_no_fault(void **state)
{
    (void)state;
    for (int sort = 0; sort < 12; sort++) {
        begin(NULL);
        put_bad(sort);
        const struct issuer *issuer = add();
        assert_non_null(strstr(said, "kept=0"));
        assert_null(issuer->keys);
        assert_true(issuer->refused);
        assert_string_equal(verdict(one, "1"), "iss");
        rmdir(keys_path);
        write_keys(forge_jwks(arena, one, "1"));
        look();
        assert_null(verdict(one, "1"));
        assert_false(issuer->refused);
        end(NULL);
    }
    begin(NULL);
}

/* Somebody writes the file in place, and we look in the middle. */
static void a_half_written_file_is_no_set_yet(void **state)
{
    (void)state;
    write_keys(forge_jwks(arena, one, "1"));
    const struct issuer *issuer = add();
    const char *text = forge_jwks(arena, two, "2");
    size_t half = strlen(text) / 2;
    scratch_write(keys_path, text, half, 0600);
    look();
    assert_true(issuer->refused);
    assert_null(verdict(one, "1"));
    FILE *file = fopen(keys_path, "ae");
    assert_int_equal(fwrite(text + half, 1, strlen(text) - half, file), strlen(text) - half);
    fclose(file);
    look();
    assert_false(issuer->refused);
    assert_string_equal(verdict(one, "1"), "kid");
    assert_null(verdict(two, "2"));
}

/* Overwritten in place with as many bytes, its time set back, as `cp -p` and rsync do. */
static void a_file_with_its_old_time_and_size_is_seen(void **state)
{
    struct stat before, after;
    struct timespec times[2];
    (void)state;
    write_keys(forge_jwks(arena, one, "1"));
    add();
    assert_int_equal(stat(keys_path, &before), 0);
    times[0] = before.st_atim;
    times[1] = before.st_mtim;
    const char *text = forge_jwks(arena, one, "2");
    assert_int_equal(strlen(text), before.st_size);
    do { /* until the kernel's clock has moved */
        FILE *file = fopen(keys_path, "r+e");
        assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
        fclose(file);
        assert_int_equal(utimensat(AT_FDCWD, keys_path, times, 0), 0);
        assert_int_equal(stat(keys_path, &after), 0);
    } while (after.st_ctim.tv_sec == before.st_ctim.tv_sec && after.st_ctim.tv_nsec == before.st_ctim.tv_nsec);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    look();
    assert_string_equal(verdict(one, "1"), "kid");
    assert_null(verdict(one, "2"));
}

/* Renamed into place: the way that never shows half a file. */
static void a_file_that_is_renamed_over_it_is_seen(void **state)
{
    char aside[SCRATCH_PATH_MAX];
    (void)state;
    write_keys(forge_jwks(arena, one, "1"));
    add();
    scratch_path(aside, "aside");
    const char *text = forge_jwks(arena, one, "2");
    scratch_write(aside, text, strlen(text), 0600);
    assert_int_equal(rename(aside, keys_path), 0);
    look();
    assert_string_equal(verdict(one, "1"), "kid");
    assert_null(verdict(one, "2"));
}

/* Want of memory is not the file's fault: the next look reads it, although it did not change. */
static void what_could_not_be_read_is_read_later(void **state)
{
    struct arena *small = arena_new(64);
    (void)state;
    write_keys(forge_jwks(arena, one, "1"));
    const struct issuer *issuer = add();
    write_keys(forge_jwks(arena, two, "2"));
    look_with(small);
    assert_non_null(strstr(said, "reason=\"no memory\" kept=1"));
    assert_true(issuer->refused);
    assert_null(verdict(one, "1"));
    look();
    assert_false(issuer->refused);
    assert_string_equal(verdict(one, "1"), "kid");
    assert_null(verdict(two, "2"));
    arena_free(small);
}

static void looks_at_most_so_often(void **state)
{
    (void)state;
    write_keys(forge_jwks(arena, one, "1"));
    add();
    look();
    int64_t looked_ms = list->looked_ms;
    assert_true(looked_ms > 0);
    write_keys(forge_jwks(arena, two, "2"));
    issuers_refresh(list, arena);
    assert_int_equal(list->looked_ms, looked_ms);
    assert_null(verdict(one, "1"));
    list->looked_ms = clock_monotonic_ms() - ISSUER_LOOK_MS + 1000;
    issuers_refresh(list, arena);
    assert_null(verdict(one, "1"));
    int saved = scratch_listen();
    list->looked_ms = clock_monotonic_ms() - ISSUER_LOOK_MS;
    issuers_refresh(list, arena);
    scratch_heard(saved, said, sizeof said);
    assert_null(verdict(two, "2"));
    assert_true(clock_monotonic_ms() - list->looked_ms < 1000);
    assert_true(ISSUER_LOOK_MS <= 60000); /* contract.md section 2 */
}

/* Of several issuers any change counts, and whose keys they are counts too. */
static void the_generation_covers_all_sets(void **state)
{
    char other[SCRATCH_PATH_MAX];
    unsigned char seen[4][CRYPTO_SHA256_BYTES];
    (void)state;
    scratch_path(other, "other.json");
    const char *a = forge_jwks(arena, one, "k"), *b = forge_jwks(arena, two, "k");
    const char *const steps[4][2] = {{a, b}, {b, a}, {b, b}, {a, a}};
    int saved = scratch_listen();
    for (int i = 0; i < 4; i++) {
        write_keys(steps[i][0]);
        scratch_write(other, steps[i][1], strlen(steps[i][1]), 0600);
        if (i == 0) {
            assert_int_equal(issuers_add(list, arena, "a", ISSUER_RFC9068, "x", keys_path), FAULT_NONE);
            assert_int_equal(issuers_add(list, arena, "b", ISSUER_RFC9068, "x", other), FAULT_NONE);
        }
        list->looked_ms = 0;
        issuers_refresh(list, arena);
        memcpy(seen[i], list->generation, sizeof seen[i]);
    }
    scratch_heard(saved, said, sizeof said);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], sizeof seen[i]);
}

/* A reload: another list, of the next program, is made while the file is broken. */
static void the_next_program_is_handed_the_good_sets(void **state)
{
    char other[SCRATCH_PATH_MAX];
    unsigned char before[CRYPTO_SHA256_BYTES];
    (void)state;
    scratch_path(other, "other.json");
    write_keys(forge_jwks(arena, one, "1"));
    scratch_write(other, "{}", 2, 0600);
    int64_t loaded_ms = add()->loaded_ms;
    int saved = scratch_listen();
    assert_int_equal(issuers_add(list, arena, "never good", ISSUER_IMS, NULL, other), FAULT_NONE);
    int fd = issuers_hand_over(list);
    scratch_heard(saved, said, sizeof said);
    assert_true(fd >= 0 && pwrite(fd, "x", 1, 0) == -1 && ftruncate(fd, 0) == -1);
    for (int good = 0; good < 2; good++) {
        begin(NULL);
        write_keys(good ? forge_jwks(arena, two, "2") : "{");
        const struct issuer *issuer = add();
        memcpy(before, list->generation, sizeof before);
        issuers_take_over(list, arena, -1); /* none was handed over */
        assert_int_equal(issuer->keys != NULL, good);
        saved = scratch_listen();
        issuers_take_over(list, arena, fd);
        scratch_heard(saved, said, sizeof said);
        assert_int_equal(strstr(said, "event=key_set_kept issuer=\"" NAME "\" keys=1") != NULL, !good);
        assert_int_equal(issuer->refused, !good);
        assert_null(verdict(good ? two : one, good ? "2" : "1"));
        assert_int_equal(memcmp(before, list->generation, sizeof before) == 0, good);
        assert_true(good || issuer->loaded_ms == loaded_ms);
    }
    begin(NULL);
    scratch_path(keys_path, "elsewhere.json"); /* which is not there: the keys of the file before are gone all the same */
    const struct issuer *moved = add();
    issuers_take_over(list, arena, fd);
    assert_null(moved->keys);
    close(fd);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        EACH(settings_lines), EACH(settings_are_taken_over), EACH(no_settings_file_is_a_fault), EACH(the_list_is_bounded),
        EACH(our_own_set_must_be_good), EACH(a_new_key_works_and_a_removed_key_stops), EACH(a_bad_file_keeps_the_last_good_set),
        EACH(a_file_that_comes_late_is_no_fault), EACH(a_half_written_file_is_no_set_yet),
        EACH(a_file_with_its_old_time_and_size_is_seen), EACH(a_file_that_is_renamed_over_it_is_seen),
        EACH(what_could_not_be_read_is_read_later), EACH(looks_at_most_so_often), EACH(the_generation_covers_all_sets),
        EACH(the_next_program_is_handed_the_good_sets),
    };
    return cmocka_run_group_tests_name("issuer", tests, set_up, tear_down);
}
