/*
 * client_profile: logins, kept in $XDG_CONFIG_HOME/consign/credentials (else ~/.config), one JSON object, a member for
 * each profile. Callers: client_login, client_session.
 *
 * SECURITY: the file holds client secrets. It is written 0600 under another name, synced and renamed, under a lock; one
 * that others can read or write, or that is another user's, is refused.
 */
#ifndef CONSIGN_TOOLS_CLIENT_PROFILE_H
#define CONSIGN_TOOLS_CLIENT_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

/* Texts are kept until the program ends. */
struct client_profile {
    const char *url, *org, *sandbox, *client_id;
    const char *secret;     /* NULL: a token alone, which cannot be renewed */
    const char *token;      /* NULL: none yet */
    int64_t token_until_ms; /* wall time from which it is not used any more; 0: nobody knows */
    const char *cacert;     /* NULL: the system's */
    bool insecure_http;
};

/* Reads a profile. False: there is none of that name. Ends the program when the file cannot be read or must not be. */
bool client_profile_load(const char *name, struct client_profile *out);

/* Reads the login of the environment: CONSIGN_URL, CONSIGN_ORG, CONSIGN_SANDBOX, CONSIGN_CLIENT_ID and
 * CONSIGN_CLIENT_SECRET, CONSIGN_TOKEN or both. False: CONSIGN_URL is not set. Ends the program when others are missing. */
bool client_profile_environment(struct client_profile *out);

/* Writes a profile, new or anew; the others stay. On disk when it returns. Ends the program when it cannot. */
void client_profile_save(const char *name, const struct client_profile *profile);

/* Writes token and token_until_ms into the profile as it stands now, and nothing when it is gone or meanwhile of another
 * URL, org, sandbox, client or secret: the login is newer than ours. The secret is not NULL. Else as client_profile_save(). */
void client_profile_save_token(const char *name, const struct client_profile *profile);

#endif
