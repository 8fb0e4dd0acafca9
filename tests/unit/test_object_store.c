/*
 * test_object_store: which settings of an object store are taken, the file of credentials, and what is read of its answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/object_store.h"
#include "core/object_xml.h"
#include "lib/log.h"
#include "scratch.h"

#define N(array) (sizeof(array) / sizeof(array)[0])

#define KEYS "aws_access_key_id = AKIA\naws_secret_access_key = s/e+c=ret\n"

static struct object_store store;

/* Reads with a file of credentials of this content and mode. */
static enum fault read_with(const char *url, const char *endpoint, const char *region, const char *content, mode_t mode)
{
    char path[SCRATCH_PATH_MAX], said[1024];
    scratch_path(path, "credentials");
    scratch_write(path, content, strlen(content), mode);
    int saved = scratch_listen();
    enum fault fault = object_store_read(&store, url, endpoint, region, path, "");
    scratch_heard(saved, said, sizeof said);
    assert_true((fault == FAULT_NONE) == (said[0] == '\0'));
    assert_null(strstr(said, "s/e+c=ret"));
    return fault;
}

static void check_url(const char *url, const char *bucket, const char *prefix)
{
    assert_int_equal(read_with(url, "https://store.example:9000", "eu-1", KEYS, 0600), FAULT_NONE);
    assert_string_equal(store.bucket, bucket);
    assert_string_equal(store.prefix, prefix);
    assert_string_equal(store.host, "store.example:9000");
}

static void urls_are_read(void **state)
{
    (void)state;
    check_url("s3://bucket", "/bucket", "");
    check_url("s3://bucket/", "/bucket", "");
    check_url("s3://a-b.c9/one", "/a-b.c9", "one/");
    check_url("s3://bucket/one/Two_3.x/", "/bucket", "one/Two_3.x/");
}

static void other_urls_are_refused(void **state)
{
    static const char *const BAD[] = {
        "", "s3:", "s3://", "s3:///x", "s3://ab", "S3://bucket", "https://bucket/x", "s3://Bucket/x", "s3://bucket//x",
        "s3://bucket/x//", "s3://bucket/x/../y", "s3://bucket/./x", "s3://bucket/..", "s3://bucket/x y", "s3://bucket/x?y",
        "s3://bucket/x%2fy", "s3://bucket/\xc3\xa9", "s3://bu_cket/x",
        "s3://a123456789b123456789c123456789d123456789e123456789f123456789g1234/x"};
    (void)state;
    for (size_t i = 0; i < N(BAD); i++) {
        if (read_with(BAD[i], "", "us-east-1", KEYS, 0600) != FAULT_MALFORMED)
            fail_msg("accepted: %s", BAD[i]);
    }
}

static void what_goes_over_a_network_is_encrypted(void **state)
{
    static const struct {
        const char *endpoint;
        enum fault fault;
    } ROWS[] = {
        {"https://store.example", FAULT_NONE},
        {"https://10.0.0.1:9000", FAULT_NONE},
        {"https://[fd00::1]:9000", FAULT_NONE},
        {"http://127.0.0.1", FAULT_NONE},
        {"http://localhost:9000", FAULT_NONE},
        {"http://[::1]:9000", FAULT_NONE},
        {"http://store.example", FAULT_MALFORMED},
        {"http://127.0.0.1.evil", FAULT_MALFORMED},
        {"http://localhostx", FAULT_MALFORMED},
        {"http://10.0.0.1", FAULT_MALFORMED},
        {"ftp://127.0.0.1", FAULT_MALFORMED},
        {"store.example", FAULT_MALFORMED},
        {"https://", FAULT_MALFORMED},
        {"https://store/x", FAULT_MALFORMED},
        {"https://u@store", FAULT_MALFORMED},
        {"https://store?x", FAULT_MALFORMED},
        {"https://store x", FAULT_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < N(ROWS); i++) {
        if (read_with("s3://bucket/x", ROWS[i].endpoint, "us-east-1", KEYS, 0600) != ROWS[i].fault)
            fail_msg("%s", ROWS[i].endpoint);
    }
    assert_int_equal(read_with("s3://bucket/x", "", "eu-west-1", KEYS, 0600), FAULT_NONE);
    assert_string_equal(store.origin, "https://s3.eu-west-1.amazonaws.com");
    assert_string_equal(store.host, "s3.eu-west-1.amazonaws.com");
    assert_int_equal(read_with("s3://bucket/x", "", "eu west", KEYS, 0600), FAULT_MALFORMED);
    assert_int_equal(read_with("s3://bucket/x", "", "", KEYS, 0600), FAULT_MALFORMED);
}

static void the_port_of_the_scheme_is_not_signed(void **state)
{
    static const struct {
        const char *endpoint, *host;
    } ROWS[] = {
        {"https://store.example:443", "store.example"},
        {"https://store.example:80", "store.example:80"},
        {"https://store.example:8443", "store.example:8443"},
        {"https://[fd00::443]", "[fd00::443]"},
        {"https://[fd00::1]:443", "[fd00::1]"},
        {"http://127.0.0.1:80", "127.0.0.1"},
        {"http://127.0.0.1:443", "127.0.0.1:443"},
        {"http://localhost:8080", "localhost:8080"},
    };
    (void)state;
    for (size_t i = 0; i < N(ROWS); i++) {
        assert_int_equal(read_with("s3://bucket/x", ROWS[i].endpoint, "us-east-1", KEYS, 0600), FAULT_NONE);
        assert_string_equal(store.host, ROWS[i].host);
    }
}

static void credentials_are_read(void **state)
{
    static const char *const BAD[] = {
        "", "aws_access_key_id = AKIA\n", "aws_secret_access_key = x\n", "aws_access_key_id =\naws_secret_access_key = x\n",
        KEYS KEYS, KEYS "aws_session_token = a:b\n", KEYS "aws_session_token =\n",
        KEYS "aws_session_token = a\naws_session_token = b\n",
        "aws_access_key_id = AK/IA\naws_secret_access_key = x\n", "AKIA s/e+c=ret\n"};
    static const mode_t OPEN[] = {0640, 0604, 0644, 0660, 0610};
    char path[SCRATCH_PATH_MAX], said[1024];
    (void)state;
    assert_int_equal(read_with("s3://bucket/x", "", "us-east-1", KEYS, 0600), FAULT_NONE);
    assert_string_equal(store.access, "AKIA");
    assert_string_equal(store.secret, "s/e+c=ret");
    static const char LOOSE[] = "[default]\n# of the lake\n  aws_secret_access_key=s/e+c=ret  \r\n"
                                "aws_access_key_id=\tAKIA\r\nregion = x\n";
    assert_int_equal(read_with("s3://bucket/x", "", "us-east-1", LOOSE, 0400), FAULT_NONE);
    assert_string_equal(store.access, "AKIA");
    assert_string_equal(store.secret, "s/e+c=ret");
    assert_string_equal(store.token, "");
    static const char TOKEN[] = KEYS "aws_session_token = FwoG+/Z_1-x.9==\n";
    assert_int_equal(read_with("s3://bucket/x", "", "us-east-1", TOKEN, 0600), FAULT_NONE);
    assert_string_equal(store.token, "FwoG+/Z_1-x.9==");
    for (size_t i = 0; i < N(BAD); i++) {
        if (read_with("s3://bucket/x", "", "us-east-1", BAD[i], 0600) != FAULT_MALFORMED)
            fail_msg("accepted: %s", BAD[i]);
    }
    for (size_t i = 0; i < N(OPEN); i++)
        assert_int_equal(read_with("s3://bucket/x", "", "us-east-1", KEYS, OPEN[i]), FAULT_MALFORMED);
    scratch_path(path, "nothing");
    int saved = scratch_listen();
    assert_int_equal(object_store_read(&store, "s3://bucket/x", "", "us-east-1", path, ""), FAULT_MALFORMED);
    scratch_heard(saved, said, sizeof said);
    assert_non_null(strstr(said, "setting=lake.credentials"));
    saved = scratch_listen();
    assert_int_equal(object_store_read(&store, "s3://bucket/x", "", "us-east-1", "", path), FAULT_MALFORMED);
    scratch_heard(saved, said, sizeof said);
    assert_non_null(strstr(said, "setting=lake.ca_file"));
}

static void a_request_is_signed_for_its_path(void **state)
{
    struct object_store_pass pass, other;
    char longest[4096];
    (void)state;
    assert_int_equal(read_with("s3://bucket/pre", "https://store.example", "us-east-1", KEYS, 0600), FAULT_NONE);
    assert_int_equal(object_store_sign(&store, "GET", "1/2/file", INT64_C(1369353600000), &pass), FAULT_NONE);
    assert_string_equal(pass.path, "/bucket/pre/1/2/file");
    assert_string_equal(pass.date, "20130524T000000Z");
    assert_non_null(strstr(pass.authorization, "Credential=AKIA/20130524/us-east-1/s3/aws4_request, "));
    assert_null(strstr(pass.authorization, "s/e+c=ret"));
    assert_int_equal(object_store_sign(&store, "HEAD", "1/2/file", INT64_C(1369353600000), &other), FAULT_NONE);
    assert_string_not_equal(pass.authorization, other.authorization);
    assert_int_equal(object_store_sign(&store, "GET", "1/2/fil", INT64_C(1369353600000), &other), FAULT_NONE);
    assert_string_not_equal(pass.authorization, other.authorization);
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(object_store_sign(&store, "GET", longest, 0, &other), FAULT_INTERNAL);
    assert_string_equal(pass.token, "");
    assert_null(strstr(pass.authorization, "x-amz-security-token"));
    static const char TOKEN[] = KEYS "aws_session_token = t=\n";
    assert_int_equal(read_with("s3://bucket/pre", "https://store.example", "us-east-1", TOKEN, 0600), FAULT_NONE);
    assert_int_equal(object_store_sign(&store, "GET", "1/2/file", INT64_C(1369353600000), &other), FAULT_NONE);
    assert_string_equal(other.token, "t=");
    assert_non_null(strstr(other.authorization, ";x-amz-date;x-amz-security-token, "));
}

static void elements_are_found(void **state)
{
    static const char TEXT[] = "<?xml version=\"1.0\"?><List xmlns=\"x\"><Key>no</Key><Contents><Key>a</Key></Contents>"
                               "<Contents><Size>1</Size></Contents><Contents><Key>c</Key><ETag>t</ETag></Contents>"
                               "<Contents><Key>cut";
    struct object_xml in = {TEXT, sizeof TEXT - 1}, inside;
    char text[4];
    (void)state;
    assert_true(object_xml_next(&in, "Contents", &inside) && object_xml_text(inside, "Key", text, sizeof text));
    assert_string_equal(text, "a");
    assert_true(object_xml_next(&in, "Contents", &inside));
    assert_false(object_xml_text(inside, "Key", text, sizeof text));
    assert_string_equal(text, "");
    assert_true(object_xml_next(&in, "Contents", &inside) && object_xml_text(inside, "Key", text, sizeof text));
    assert_string_equal(text, "c");
    assert_false(object_xml_next(&in, "Contents", &inside));
    struct object_xml longer = {"<Key>four</Key>", 15}, none = {NULL, 0};
    assert_false(object_xml_text(longer, "Key", text, sizeof text));
    assert_false(object_xml_text(none, "Key", text, sizeof text));
    for (size_t cut = 0; cut < sizeof TEXT; cut++) { /* never reads behind its end */
        struct object_xml part = {TEXT, cut};
        while (object_xml_next(&part, "Contents", &inside))
            assert_true(inside.at + inside.length <= TEXT + cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_read),         cmocka_unit_test(other_urls_are_refused),
        cmocka_unit_test(what_goes_over_a_network_is_encrypted), cmocka_unit_test(credentials_are_read),
        cmocka_unit_test(the_port_of_the_scheme_is_not_signed),
        cmocka_unit_test(a_request_is_signed_for_its_path), cmocka_unit_test(elements_are_found)};
    return cmocka_run_group_tests_name("object_store", tests, NULL, scratch_end);
}
