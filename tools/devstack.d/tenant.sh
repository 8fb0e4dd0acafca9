# tenant.sh: the demo tenant of a stack and the variables that let a shell or a test use it.
# shellcheck shell=bash

TENANT_ORG=DemoOne@AdobeOrg
TENANT_SANDBOX=prod

# Creates org, sandbox and a client with all rights, once. The secret is shown only at creation, so it
# is kept in the file "client"; a stack without that file gets a new client.
tenant_create()
{
    if [ -s client ]; then return; fi
    {
        programs_ctl org list | grep -qF "$TENANT_ORG" ||
            programs_ctl org create --id "$TENANT_ORG" --name "Demo One"
        programs_ctl sandbox list --org "$TENANT_ORG" | grep -qw "$TENANT_SANDBOX" ||
            programs_ctl sandbox create --org "$TENANT_ORG" --name "$TENANT_SANDBOX"
    } >log/tenant.log 2>&1 || process_fail "the demo tenant" tenant.log "consignctl failed"

    rm -f client.new
    (umask 077 && programs_ctl client create --org "$TENANT_ORG" --name demo --rights all \
        >client.new 2>>log/tenant.log) || process_fail "the demo tenant" tenant.log "consignctl failed"
    if ! grep -q '^client_id=.' client.new || ! grep -q '^client_secret=.' client.new; then
        process_fail "the demo tenant" tenant.log "consignctl client create printed no client_id and client_secret"
    fi
    mv client.new client
}

tenant_value() { sed -n "s/^$1=//p" "$STATE/client"; }

# A fresh token. The secret goes to curl on its standard input: an argument shows in ps.
tenant_token()
{
    local answer
    answer=$(curl -sS --noproxy '*' --max-time 10 -K - "$(programs_url)/ims/token/v3" <<END
data-urlencode = "grant_type=client_credentials"
data-urlencode = "client_id=$(tenant_value client_id)"
data-urlencode = "client_secret=$(tenant_value client_secret)"
data-urlencode = "scope=openid"
END
    ) || die "the token endpoint does not answer; is the stack up?"
    answer=$(tr -d '\n' <<<"$answer" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
    [ -n "$answer" ] || die "the token endpoint gave no token; see $STATE/log/api.log"
    echo "$answer"
}

# Prints nothing unless all of it can be printed, so that eval never gets a half. No value can hold a
# quote: paths are checked (place_unfit), ids, secret and token are ours.
tenant_print_env()
{
    local token
    if ! process_alive nginx || ! process_alive api || [ ! -s client ]; then die "the stack is not up"; fi
    token=$(tenant_token)
    printf "export %s='%s'\n" \
        CONSIGN_URL "$(programs_url)" \
        CONSIGN_OPS_URL "$(programs_ops_url)" \
        CONSIGN_PGURI "$(postgres_uri postgres)" \
        CONSIGN_LAKE "$STATE/lake" \
        CONSIGN_DIR "$STATE" \
        CONSIGN_ORG "$TENANT_ORG" \
        CONSIGN_SANDBOX "$TENANT_SANDBOX" \
        CONSIGN_CLIENT_ID "$(tenant_value client_id)" \
        CONSIGN_CLIENT_SECRET "$(tenant_value client_secret)" \
        CONSIGN_TOKEN "$token"
}
