# postgres.sh: the stack's private PostgreSQL cluster, on a unix socket and nowhere else.
# shellcheck shell=bash

# Debian keeps the programs out of PATH, one folder a version. The newest serves.
postgres_bin()
{
    if [ -n "${CONSIGN_PG_BIN:-}" ]; then
        echo "$CONSIGN_PG_BIN"
        return
    fi
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    [ -x "$newest" ] || die "PostgreSQL's programs are not in /usr/lib/postgresql/*/bin; make deps installs them"
    dirname "$newest"
}

# postgres_uri ROLE: how libpq reaches the database as that role.
postgres_uri()
{
    local host=$STATE/run/pg
    host=${host//%/%25}
    host=${host//+/%2B}
    echo "postgresql:///consign?host=${host//\//%2F}&user=$1"
}

# Makes the cluster once. Aside and renamed, so that a half-made one is never used.
postgres_init()
{
    local bin=$1
    if [ -d pg ]; then return; fi
    rm -rf pg.new
    if [ -n "${CONSIGN_PG_TEMPLATE:-}" ]; then
        cp -R "$CONSIGN_PG_TEMPLATE" pg.new
        # its tenant's secret, which is nowhere else
        if [ -s "$CONSIGN_PG_TEMPLATE/../client" ]; then cp -p "$CONSIGN_PG_TEMPLATE/../client" client; fi
        mv pg.new pg
        return
    fi
    if ! "$bin/initdb" -D pg.new -U postgres --data-checksums -E UTF8 --locale=C.UTF-8 \
        --auth-local=peer --auth-host=reject --no-instructions >log/initdb.log 2>&1; then
        process_fail postgres initdb.log "initdb failed"
    fi
    echo "include 'consign.conf'" >>pg.new/postgresql.conf
    mv pg.new pg
}

# postgres_setting KEY DEFAULT: of --set, else what devstack writes or the programs take.
postgres_setting()
{
    local line value=$2
    for line in ${SETTINGS[@]+"${SETTINGS[@]}"}; do
        if [ "${line%%=*}" = "$1" ]; then value=${line#*=}; fi
    done
    echo "$value"
}

# What the README says of max_connections, and room for tests; 100 with the settings that devstack writes.
postgres_connections()
{
    local api spooler
    api=$(postgres_setting api.workers 4)
    if [ "$api" = 0 ]; then
        api=$(($(nproc) * 4))
        if [ "$api" -gt 64 ]; then api=64; fi
    fi
    spooler=$(($(postgres_setting spooler.workers 2) + $(postgres_setting spooler.express 1)))
    echo $((2 * (api + 3 * spooler) + 74))
}

# Written at each start: the folder may have been moved, the user may be another one.
postgres_configure()
{
    local me user role
    me=$(id -un)
    cat >pg/consign.conf <<END
listen_addresses = ''
unix_socket_directories = '$STATE/run/pg'
unix_socket_permissions = 0700
shared_buffers = 256MB
max_connections = $(postgres_connections)
log_line_prefix = '%m [%p] %q%u@%d '
END
    echo 'local all all peer map=consign' >pg/pg_hba.conf
    for user in "$me" root; do
        for role in postgres consign_api consign_spooler consign_sender consign_metrics operator; do # operator: of a test
            echo "consign $user $role"
        done
        if [ "$user" = root ]; then break; fi
    done >pg/pg_ident.conf
}

# Prints "pid start-time" of every process of this cluster. Backends have sessions of their own and
# outlive a killed postmaster for a moment; what they share is the folder they work in.
postgres_processes()
{
    local cwd pid name
    for cwd in /proc/[0-9]*/cwd; do
        # by the shell itself: a machine has hundreds of processes
        if [ ! "$cwd" -ef "$STATE/pg" ]; then continue; fi
        pid=${cwd#/proc/} pid=${pid%/cwd}
        if { read -r name <"/proc/$pid/comm"; } 2>/dev/null && [ "$name" = postgres ] && process_stat "$pid"; then
            echo "$pid ${PROCESS_STAT[19]}"
        fi
    done
}

# postgres_stop SECONDS: ends the cluster; see process_stop.
postgres_stop()
{
    local left
    process_stop postgres "$1" INT QUIT || return 1
    left=$(postgres_processes)
    if process_gone "$left" 5; then return 0; fi
    process_kill "$left"
    process_gone "$left" 5
}

# A killed postmaster that nobody has waited for (a container without an init) still has its number,
# and PostgreSQL would take it for a running one. Its lock files stay, with a number that nobody can
# have, because the shared memory named in it keeps guarding against a backend that is left.
postgres_forget_dead()
{
    local lock pid
    for lock in pg/postmaster.pid run/pg/.s.PGSQL.5432.lock; do
        if { read -r pid <"$lock"; } 2>/dev/null && process_stat "$pid" && [ "${PROCESS_STAT[0]}" = Z ]; then
            sed -i '1s/.*/2147483647/' "$lock"
        fi
    done
}

postgres_start()
{
    local bin
    if process_alive postgres; then return; fi
    bin=$(postgres_bin)
    postgres_init "$bin"
    postgres_configure
    postgres_forget_dead
    process_start postgres postgres.log "$bin/postgres" -D "$STATE/pg"
    process_await postgres postgres.log 30 "$bin/pg_isready" -q -h "$STATE/run/pg" -U postgres -d postgres

    local psql=("$bin/psql" -XAtq -h "$STATE/run/pg" -U postgres -d postgres)
    if [ -z "$("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = 'consign'")" ]; then
        rm -f pg/consign.migrated
        "${psql[@]}" -c "CREATE DATABASE consign TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'" ||
            process_fail postgres postgres.log "the database can't be created"
    fi
}
