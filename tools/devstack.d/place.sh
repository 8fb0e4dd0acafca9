# place.sh: who runs the stack, where its state lives, what it runs from. Outer step of devstack only.
# shellcheck shell=bash disable=SC2034

# A unix socket's address has 107 bytes. The longest is PostgreSQL's.
PLACE_SOCKET=/run/pg/.s.PGSQL.5432
PLACE_SOCKET_MAX=100

# RUN_USER: who the services run as, never root; of root's choice RUN_GROUP too.
place_find_user()
{
    if [ "$EUID" != 0 ]; then
        RUN_USER=$(id -un)
        return
    fi
    RUN_USER=${CONSIGN_RUN_USER:-consign}
    id -u "$RUN_USER" >/dev/null 2>&1 ||
        die "there is no user $RUN_USER to run the services as; make deps creates it"
    [ "$(id -u "$RUN_USER")" != 0 ] || die "the services don't run as root; choose another CONSIGN_RUN_USER"
    RUN_GROUP=$(id -g "$RUN_USER")
}

# Runs a command as RUN_USER, with nothing of root's environment but what the stack is told by.
place_as_user()
{
    if [ "$EUID" != 0 ]; then
        "$@"
        return
    fi
    local name keep=()
    for name in TMPDIR ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS $(compgen -v CONSIGN_); do
        if [ -n "${!name:-}" ]; then keep+=("$name=${!name}"); fi
    done
    setpriv --reuid "$RUN_USER" --regid "$RUN_GROUP" --init-groups --inh-caps=-all --no-new-privs \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
        HOME=/nonexistent USER="$RUN_USER" ${keep[@]+"${keep[@]}"} "$@"
}

# The same, instead of this process.
place_enter()
{
    cd /
    place_as_user bash "$@"
}

# Why the state can't live in a folder, or nothing when it can.
place_unfit()
{
    local dir=$1 socket=$1$PLACE_SOCKET
    if [[ ! $dir =~ ^[A-Za-z0-9._/+@,-]+$ ]]; then
        echo "its path has characters that a setting can't hold"
    elif [ ${#socket} -gt $PLACE_SOCKET_MAX ]; then
        echo "its path is too long for a unix socket"
    elif ! place_as_user test -x "$dir" -a -w "$dir" 2>/dev/null; then
        echo "the user $RUN_USER can't work there"
    fi
}

# Creates a folder for the state, or takes one that is ours.
place_make()
{
    local dir=$1
    if [ -L "$dir" ] || { [ -e "$dir" ] && [ ! -d "$dir" ]; }; then die "$dir is not a folder"; fi
    if [ -d "$dir" ] && [ ! -e "$dir/.consign-stack" ] && [ -n "$(ls -A "$dir")" ] && [ ! -e "$dir/location" ]; then
        die "$dir holds something else than a stack"
    fi
    mkdir -p "$dir" || die "can't create $dir"
    chmod 750 "$dir"
    if [ "$EUID" = 0 ]; then chown "$RUN_USER:$RUN_GROUP" "$dir"; fi
}

# Where the state may live when the folder that was asked for does not do.
place_elsewhere()
{
    local base
    for base in "$(realpath -m "${TMPDIR:-/tmp}")" /tmp; do
        echo "$base/consign-$(id -u "$RUN_USER")-$(printf %s "$1" | sha256sum | cut -c1-12)"
    done
}

# SECURITY: anybody may make folders in /tmp. One is ours when it is no link and RUN_USER owns it.
place_is_ours() { [ ! -L "$1" ] && [ -d "$1" ] && [ "$(stat -c %U "$1")" = "$RUN_USER" ]; }

# STATE: the folder of an existing stack, or empty. A file "location" in the folder that was asked for
# names another one; without it (somebody removed the folder) the usual places are looked at.
place_find_existing()
{
    local asked=$1 dir
    for dir in "$asked" "$(cat "$asked/location" 2>/dev/null || true)" $(place_elsewhere "$asked"); do
        if [ -n "$dir" ] && [ -e "$dir/.consign-stack" ] && place_is_ours "$dir"; then
            STATE=$dir
            return
        fi
    done
    STATE=''
}

# STATE: a new folder for a new stack; the one that was asked for if that does.
place_make_new()
{
    local asked=$1 reason dir
    place_make "$asked"
    STATE=$asked
    reason=$(place_unfit "$asked")
    if [ -n "$reason" ]; then
        if [ "$EUID" = 0 ]; then chown 0:0 "$asked"; fi
        STATE=''
        for dir in $(place_elsewhere "$asked"); do
            if [ -e "$dir" ] || [ -L "$dir" ]; then
                place_is_ours "$dir" || die "$dir exists and is not the folder of $RUN_USER"
            fi
            place_make "$dir"
            if [ -z "$(place_unfit "$dir")" ]; then
                STATE=$dir
                break
            fi
            rmdir "$dir"
        done
        [ -n "$STATE" ] || die "$asked does not do ($reason), nor does a folder in ${TMPDIR:-/tmp}"
        printf '%s\n' "$STATE" >"$asked/location"
        say "the state lives in $STATE, not in $asked: $reason"
    fi
    place_as_user touch "$STATE/.consign-stack"
}

# PORT: the one asked for, else the one this stack had before, else the default.
place_choose_port()
{
    PORT=${1:-$(cat "$STATE/port" 2>/dev/null || echo 18080)}
    if [[ ! $PORT =~ ^[1-9][0-9]{0,4}$ ]] || [ "$PORT" -gt 65534 ]; then
        die "a port is a number from 1 to 65534, not $PORT"
    fi
}

# One up or down at a time for a stack. The lock is on the folder and lives as long as fd 9 is open.
place_lock()
{
    exec 9<"$STATE"
    flock -w 120 9 || die "another devstack works on $STATE"
}

# Copies what the stack runs from, unless a part of it runs. Written by the stack's user: root writes
# nothing into a folder that somebody else owns.
place_copy_programs()
{
    local name build=${CONSIGN_BUILD:-build}
    for name in "${SERVICES[@]}"; do
        if process_alive "$name"; then return; fi
    done

    if [[ $build != /* ]]; then build=$REPO/$build; fi
    for name in consign-api consign-spooler consignctl; do
        [ -x "$build/bin/$name" ] || die "$build/bin/$name is missing; build first (make all)"
    done
    place_as_user rm -rf "$STATE/share" "$STATE/share.new" "$STATE/bin"
    place_as_user mkdir -p "$STATE/share.new" "$STATE/bin"
    tar -C "$REPO" -cf - sql nginx tools/devstack tools/devstack.d |
        place_as_user tar -C "$STATE/share.new" --no-same-owner -xf -
    if [ -d "$build/docs" ]; then
        tar -C "$build" -cf - docs | place_as_user tar -C "$STATE/share.new" --no-same-owner -xf -
    fi
    tar -C "$build/bin" -cf - consign-api consign-spooler consignctl |
        place_as_user tar -C "$STATE/bin" --no-same-owner -xf -
    place_as_user mv "$STATE/share.new" "$STATE/share"
}
