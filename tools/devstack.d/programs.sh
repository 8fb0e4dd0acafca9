# programs.sh: the settings file, the migration, consign-api, consign-spooler and nginx of a stack.
# shellcheck shell=bash disable=SC2153

# Sanitizer builds start slower.
PROGRAMS_READY_SECONDS=30
# What stands before an event's name in a line of the log, in either form (log.format).
PROGRAMS_EVENT='\<event[=":]*'

programs_url() { echo "http://127.0.0.1:$(cat "$STATE/port")"; }
programs_ops_url() { echo "http://127.0.0.1:$(($(cat "$STATE/port") + 1))"; }

# Refuses early, with the port's number, what nginx would fail at when all else is started.
programs_check_ports()
{
    local port
    for port in "$PORT" $((PORT + 1)); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            die "port $port is in use; choose another with --port"
        fi
    done
}

# consign.conf: what the stack needs; --set replaces a line or adds one.
programs_write_conf()
{
    local line key
    declare -A extra=()
    for line in ${SETTINGS[@]+"${SETTINGS[@]}"}; do extra[${line%%=*}]=${line#*=}; done

    echo "$PORT" >port
    {
        echo "# Written by tools/devstack up; --set KEY=VALUE changes a line. No limit of a tenant, as in nginx's."
        while read -r key line; do
            echo "$key = ${extra[$key]:-$line}"
            unset "extra[$key]"
        done <<END
database.api $(postgres_uri consign_api)
database.spooler $(postgres_uri consign_spooler)
database.sender $(postgres_uri consign_sender)
database.operator $(postgres_uri postgres)
public.url http://127.0.0.1:$PORT
api.socket $STATE/run/api.sock
api.workers 4
api.org_workers 512
api.org_rate 1000000
spooler.workers 2
keys.dir $STATE/keys
inbox.dir $STATE/inbox
lake.dir $STATE/lake
END
        for key in ${extra[@]+"${!extra[@]}"}; do echo "$key = ${extra[$key]}"; done
    } >consign.conf.new
    mv consign.conf.new consign.conf
}

programs_ctl() { "$STATE/bin/consignctl" --config "$STATE/consign.conf" "$@"; }

# Not again what the template's cluster brought (postgres_init): all of sql/api in each start of a test's stack.
programs_migrate()
{
    local sum
    sum=$(cat share/sql/*.sql share/sql/*/*.sql | sha256sum)
    if [ -n "${CONSIGN_PG_TEMPLATE:-}" ] && [ "$(cat pg/consign.migrated 2>/dev/null)" = "$sum" ]; then return; fi
    programs_ctl migrate --sql "$STATE/share/sql" >log/migrate.log 2>&1 ||
        process_fail migrate migrate.log "consignctl migrate failed"
    echo "$sum" >pg/consign.migrated
}

programs_start_api()
{
    if process_alive api; then return; fi
    # a socket that a killed pool left behind
    rm -f run/api.sock
    process_start api api.log "$STATE/bin/consign-api" --config "$STATE/consign.conf"
    process_await api api.log $PROGRAMS_READY_SECONDS grep -q "${PROGRAMS_EVENT}ready" log/api.log
}

programs_start_spooler()
{
    if process_alive spooler; then return; fi
    process_start spooler spooler.log "$STATE/bin/consign-spooler" --config "$STATE/consign.conf"
    process_await spooler spooler.log $PROGRAMS_READY_SECONDS grep -q "${PROGRAMS_EVENT}ready" log/spooler.log
}

programs_start_nginx()
{
    local rate='' docs='' nofile objects='' store ca
    if process_alive nginx; then return; fi
    case ${CONSIGN_RATE_LIMITS:-off} in
    on)    rate='include consign/rate.conf; include consign/token_rate.conf;' ;;
    token) rate='include consign/token_rate.conf;' ;;
    esac
    store=$(programs_setting lake.region)
    store=https://s3.${store:-us-east-1}.amazonaws.com
    if [ -n "$(programs_setting lake.endpoint)" ]; then store=$(programs_setting lake.endpoint); fi
    if [ -n "$(programs_setting lake.url)" ]; then objects='include consign/objects.conf;'; fi
    ca=$(programs_setting lake.ca_file)
    nofile=$(ulimit -Hn)
    if [ "$nofile" = unlimited ] || [ "$nofile" -gt 32768 ]; then nofile=32768; fi
    if [ -d share/docs ]; then docs=$STATE/share/docs; fi
    share/nginx/render nginx "DIR=$STATE" "RATE=$rate" TLS= "NOFILE=$nofile" \
        "ACCESS_LOG=$STATE/log/access.log" "ERROR_LOG=$STATE/log/nginx.log" \
        "PUBLIC_LISTEN=127.0.0.1:$PORT backlog=4096" "OPS_LISTEN=127.0.0.1:$((PORT + 1))" \
        "API_SOCKET=$STATE/run/api.sock" "LAKE=$STATE/lake" \
        "LAKE_OBJECTS=$objects" "OBJECTS=$store" "OBJECTS_CA=${ca:-/etc/ssl/certs/ca-certificates.crt}" \
        "RESOLVER=${CONSIGN_RESOLVER:+resolver $CONSIGN_RESOLVER;}" "WEB=$STATE/nginx/web" "DOCS=$docs"
    process_start nginx nginx.log "$(PATH=$PATH:/usr/sbin command -v nginx)" \
        -e "$STATE/log/nginx.log" -p "$STATE/nginx" -c "$STATE/nginx/nginx.conf"
    process_await nginx nginx.log $PROGRAMS_READY_SECONDS \
        curl -fsS --noproxy '*' --max-time 2 -o /dev/null "$(programs_ops_url)/health"
}

# programs_setting NAME: what consign.conf says; empty when it is not there.
programs_setting() { sed -n "s/^$1 = *//p" consign.conf; }

# What a reload says when it is decided, one line an event: new workers are ready, or nothing changed.
PROGRAMS_DECIDED="${PROGRAMS_EVENT}reload\\(ed\\|_refused\\|_failed\\|_stuck\\)\\>"

programs_decisions() { grep -c "$PROGRAMS_DECIDED" "log/$1.log" || true; }

programs_decided() { [ "$(programs_decisions "$1")" -gt "$2" ]; }

# programs_reload NAME: returns when the new workers serve; the old ones may still finish what they have.
programs_reload()
{
    local name=$1 before last
    before=$(programs_decisions "$name")
    kill -s HUP "$(process_pid "$name")"
    process_await "$name" "$name.log" 60 programs_decided "$name" "$before"
    last=$(grep "$PROGRAMS_DECIDED" "log/$name.log" | tail -n 1)
    grep -q "${PROGRAMS_EVENT}reloaded\\>" <<<"$last" || die "$name did not reload: ${last#*event}"
}

# nginx checks its files itself, goes on as it was when they are no good, and says so in its log.
programs_reload_nginx()
{
    "$(PATH=$PATH:/usr/sbin command -v nginx)" -q -t -e stderr -p "$STATE/nginx" -c "$STATE/nginx/nginx.conf" ||
        die "nginx did not reload"
    kill -s HUP "$(process_pid nginx)"
}
