/*
 * client_profile: logins. See client_profile.h.
 */
#include "consignctl/client_profile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consignctl/client.h"
#include "lib/jsonio.h"
#include "lib/str.h"

#define PROFILE_FILE "credentials"
#define PROFILE_LOCK "credentials.lock"
#define PROFILE_PATH_MAX 1024
#define PROFILE_BYTES ((size_t)1024 * 1024)
#define PROFILE_LIMITS ((struct jscan_limits){.depth = 4, .bytes = (uint32_t)PROFILE_BYTES, .nodes = 65536})

/* The folder. */
static void profile_folder(char out[PROFILE_PATH_MAX])
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int length;
    /* the XDG specification: a path that is not absolute does not count */
    if (base != NULL && *base == '/')
        length = snprintf(out, PROFILE_PATH_MAX, "%s/consign", base);
    else if (home != NULL && *home == '/')
        length = snprintf(out, PROFILE_PATH_MAX, "%s/.config/consign", home);
    else
        client_fail(CLIENT_REFUSED, "neither XDG_CONFIG_HOME nor HOME says where the login is");
    if (length >= PROFILE_PATH_MAX - (int)sizeof PROFILE_LOCK)
        client_fail(CLIENT_REFUSED, "the path of the login is too long");
}

/* Opens the folder; makes it, and those above it, when `make`. -1: there is none. */
static int profile_open_folder(bool make, char path[PROFILE_PATH_MAX])
{
    profile_folder(path);
    for (char *slash = strchr(path + 1, '/'); make && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700); /* what cannot be made is found at the end */
        *slash = '/';
    }
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
        client_fail(CLIENT_REFUSED, "cannot make %s: %s", path, strerror(errno));
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 && (make || errno != ENOENT))
        client_fail(CLIENT_REFUSED, "cannot open %s: %s", path, strerror(errno));
    return folder;
}

/* All of a file that is ours alone. False: there is none. */
static bool profile_read(int folder, const char *path, struct str *out)
{
    char piece[4096];
    struct stat about;
    ssize_t got = 0;
    int fd = openat(folder, PROFILE_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return false;
    if (fd < 0 || fstat(fd, &about) != 0)
        client_fail(CLIENT_REFUSED, "cannot read %s/" PROFILE_FILE ": %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode) || about.st_uid != geteuid())
        client_fail(CLIENT_REFUSED, "%s/" PROFILE_FILE ": is no file of yours", path);
    if ((about.st_mode & 077) != 0)
        client_fail(CLIENT_REFUSED, "%s/" PROFILE_FILE ": others can read or write it; chmod 600, and take another secret"
                    " if that was not meant", path);
    while ((got = read(fd, piece, sizeof piece)) > 0)
        str_append(out, piece, (size_t)got);
    close(fd);
    if (got < 0 || out->overflow)
        client_fail(CLIENT_REFUSED, "cannot read %s/" PROFILE_FILE ": %s", path, got < 0 ? strerror(errno) : "too long");
    return true;
}

/* The document with all profiles, an empty object when there is no file; the arena's. */
static struct json_object *profile_document(int folder, const char *path, struct arena *memory)
{
    struct str text = STR_INIT(PROFILE_BYTES);
    struct jsonio_refusal refusal = {0, "empty"};
    struct json_object *document = NULL;
    if (!profile_read(folder, path, &text))
        return jsonio_own(memory, json_object_new_object());
    if (text.data == NULL ||
        jsonio_parse(memory, text.data, text.length, PROFILE_LIMITS, &document, &refusal) != FAULT_NONE ||
        !json_object_is_type(document, json_type_object))
        client_fail(CLIENT_REFUSED, "%s/" PROFILE_FILE " is damaged (%s); log in anew after removing it", path,
                    refusal.reason);
    str_free(&text);
    return document;
}

/* A member's text for as long as the program runs, or NULL. */
static const char *profile_text(struct json_object *profile, const char *name)
{
    const char *text = jsonio_member_text(profile, name);
    return text == NULL ? NULL : strdup(text);
}

bool client_profile_load(const char *name, struct client_profile *out)
{
    char path[PROFILE_PATH_MAX];
    int folder = profile_open_folder(false, path);
    if (folder < 0)
        return false;
    struct arena *memory = arena_new(64);
    if (memory == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    struct json_object *profile = jsonio_member(profile_document(folder, path, memory), name, NULL);
    bool found = json_object_is_type(profile, json_type_object);
    if (found) {
        *out = (struct client_profile){
            .url = profile_text(profile, "url"),
            .org = profile_text(profile, "org"),
            .sandbox = profile_text(profile, "sandbox"),
            .client_id = profile_text(profile, "client_id"),
            .secret = profile_text(profile, "client_secret"),
            .token = profile_text(profile, "access_token"),
            .token_until_ms = json_object_get_int64(jsonio_member(profile, "token_until_ms", NULL)),
            .cacert = profile_text(profile, "cacert"),
            .insecure_http = json_object_get_boolean(jsonio_member(profile, "insecure_http", NULL)) != 0,
        };
        if (out->url == NULL || out->org == NULL || out->sandbox == NULL || out->client_id == NULL || out->secret == NULL)
            client_fail(CLIENT_REFUSED, "%s/" PROFILE_FILE ": the profile %s is not whole; log in anew", path, name);
    }
    arena_free(memory);
    close(folder);
    return found;
}

static const char *profile_variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

bool client_profile_environment(struct client_profile *out)
{
    *out = (struct client_profile){
        .url = profile_variable("CONSIGN_URL"),
        .org = profile_variable("CONSIGN_ORG"),
        .sandbox = profile_variable("CONSIGN_SANDBOX"),
        .client_id = profile_variable("CONSIGN_CLIENT_ID"),
        .secret = profile_variable("CONSIGN_CLIENT_SECRET"),
        .token = profile_variable("CONSIGN_TOKEN"),
    };
    if (out->url == NULL)
        return false;
    if (out->org == NULL || out->sandbox == NULL || out->client_id == NULL ||
        (out->secret == NULL && out->token == NULL))
        client_fail(CLIENT_USAGE, "CONSIGN_URL is set, so CONSIGN_ORG, CONSIGN_SANDBOX, CONSIGN_CLIENT_ID and"
                    " CONSIGN_CLIENT_SECRET or CONSIGN_TOKEN must be too");
    return true;
}

static struct json_object *profile_new(const struct client_profile *profile)
{
    struct json_object *made = json_object_new_object();
    jsonio_add_text(made, "url", profile->url);
    jsonio_add_text(made, "org", profile->org);
    jsonio_add_text(made, "sandbox", profile->sandbox);
    jsonio_add_text(made, "client_id", profile->client_id);
    jsonio_add_text(made, "client_secret", profile->secret);
    jsonio_add_text(made, "access_token", profile->token);
    jsonio_add_int(made, "token_until_ms", profile->token_until_ms);
    jsonio_add_text(made, "cacert", profile->cacert);
    if (profile->insecure_http)
        json_object_object_add(made, "insecure_http", json_object_new_boolean(1));
    return made;
}

/* Writes the text under another name and gives it the file's. */
static bool profile_write(int folder, const char *text, size_t length)
{
    char name[32];
    snprintf(name, sizeof name, PROFILE_FILE ".%ld", (long)getpid());
    (void)unlinkat(folder, name, 0); /* of a process of the same number that was killed here; the lock is ours */
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write(fd, text, length) == (ssize_t)length && fchmod(fd, 0600) == 0 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    good = good && renameat(folder, name, folder, PROFILE_FILE) == 0 && fsync(folder) == 0;
    if (!good) {
        int saved = errno;
        (void)unlinkat(folder, name, 0);
        errno = saved;
    }
    return good;
}

/* The file while it is changed. */
struct change {
    char path[PROFILE_PATH_MAX];
    int folder, lock;
    struct arena *memory;
    struct json_object *document; /* all profiles */
};

/* Reads the file as it is now, under the lock. */
static void change_begin(struct change *c)
{
    c->folder = profile_open_folder(true, c->path);
    c->lock = openat(c->folder, PROFILE_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    c->memory = arena_new(PROFILE_BYTES + 64);
    if (c->memory == NULL)
        client_fail(CLIENT_REFUSED, "no memory");
    if (c->lock < 0 || flock(c->lock, LOCK_EX) != 0)
        client_fail(CLIENT_REFUSED, "cannot lock %s/" PROFILE_LOCK ": %s", c->path, strerror(errno));
    c->document = profile_document(c->folder, c->path, c->memory);
}

static void change_write(struct change *c)
{
    size_t length = 0;
    struct jsonio_refusal refusal;
    struct json_object *again;
    const char *text = jsonio_print(c->memory, c->document, &length);
    /* what could not be read again is not written: it would take the other profiles with it */
    if (text == NULL || jsonio_parse(c->memory, text, length, PROFILE_LIMITS, &again, &refusal) != FAULT_NONE)
        client_fail(CLIENT_REFUSED, "%s/" PROFILE_FILE " would be too long, or hold what is no UTF-8", c->path);
    if (!profile_write(c->folder, text, length))
        client_fail(CLIENT_REFUSED, "cannot write %s/" PROFILE_FILE ": %s", c->path, strerror(errno));
}

static void change_end(struct change *c)
{
    arena_free(c->memory);
    close(c->lock);
    close(c->folder);
}

void client_profile_save(const char *name, const struct client_profile *profile)
{
    struct change c;
    change_begin(&c);
    json_object_object_add(c.document, name, profile_new(profile));
    change_write(&c);
    change_end(&c);
}

/* Whether the kept profile is the same client's at the same service. */
static bool profile_is_of(struct json_object *kept, const struct client_profile *ours)
{
    const char *const names[] = {"url", "org", "sandbox", "client_id", "client_secret"};
    const char *const values[] = {ours->url, ours->org, ours->sandbox, ours->client_id, ours->secret};
    bool same = true;
    for (size_t i = 0; same && i < sizeof names / sizeof *names; i++) {
        const char *text = jsonio_member_text(kept, names[i]);
        same = text != NULL && strcmp(text, values[i]) == 0;
    }
    return same;
}

void client_profile_save_token(const char *name, const struct client_profile *profile)
{
    struct change c;
    change_begin(&c);
    struct json_object *kept = jsonio_member(c.document, name, NULL);
    if (profile_is_of(kept, profile)) {
        jsonio_add_text(kept, "access_token", profile->token);
        jsonio_add_int(kept, "token_until_ms", profile->token_until_ms);
        change_write(&c);
    }
    change_end(&c);
}
