/*
 * client_login: `consignctl login`: tries a client's id and secret and keeps them as a profile.
 *
 * SECURITY: the secret is never an argument: those show in ps and in the shell's history.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consignctl/client.h"
#include "consignctl/client_args.h"
#include "consignctl/client_session.h"
#include "consignctl/client_show.h"
#include "consignctl/client_text.h"

#define LOGIN_SECRET_MAX 1024
#define LOGIN_PROFILE_MAX 64

/* The secret: of the environment, else a line of the terminal without echo or, when stdin is none, of stdin. */
static const char *login_read_secret(void)
{
    static char line[LOGIN_SECRET_MAX + 2];
    const char *secret = getenv("CONSIGN_CLIENT_SECRET");
    if (secret == NULL || *secret == '\0') {
        if (isatty(STDIN_FILENO) == 1) {
            secret = getpass("Client secret: ");
        } else {
            secret = fgets(line, sizeof line, stdin);
            line[strcspn(line, "\r\n")] = '\0';
        }
    }
    if (secret == NULL || !client_text_is_header(secret, LOGIN_SECRET_MAX))
        client_fail(CLIENT_USAGE, "no secret: CONSIGN_CLIENT_SECRET, the terminal or stdin gives one, of printable ASCII");
    return secret;
}

enum client_exit client_login(const struct client_args *args)
{
    struct client_session s = {0};
    const char *profile = client_args_value(args, "profile");
    profile = profile == NULL ? "default" : profile;
    if (!client_text_is_header(profile, LOGIN_PROFILE_MAX))
        client_args_wrong(args->command, "--profile: up to %d printable ASCII characters", LOGIN_PROFILE_MAX);
    s.who = (struct client_profile){
        .url = client_args_value(args, "url"),
        .org = client_args_value(args, "org"),
        .sandbox = client_args_value(args, "sandbox"),
        .client_id = client_args_value(args, "client-id"),
    };
    client_session_begin(&s, args);
    s.who.url = s.place.url;
    s.who.secret = login_read_secret();
    (void)client_session_renew(&s);
    client_profile_save(profile, &s.who);
    if (client_args_has(args, "json")) {
        struct json_object *said = json_object_new_object();
        jsonio_add_text(said, "profile", profile);
        jsonio_add_text(said, "url", s.who.url);
        jsonio_add_text(said, "org", s.who.org);
        jsonio_add_text(said, "sandbox", s.who.sandbox);
        jsonio_add_text(said, "client_id", s.who.client_id);
        client_show_json(said);
        json_object_put(said);
    } else {
        client_show_result("logged in to %s as %s, profile %s", s.who.url, s.who.client_id, profile);
    }
    return CLIENT_OK;
}
