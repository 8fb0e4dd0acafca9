# clean.sh: a clean Debian 12 in a folder of its own. Sourced by run and newcomer, from the top of the checkout, as root.
#
# Variables: CONSIGN_PACKAGE_BASE  folder that keeps the clean Debian for the next run (default: none is kept)
#            CONSIGN_PACKAGE_KEEP  1: the folder stays, for a look
# shellcheck shell=bash
# shellcheck disable=SC2034 # who sources this uses them

me=tests/package/$(basename "$0")
[ "$(id -u)" = 0 ] || { echo "$me: root is needed, for another Debian" >&2; exit 1; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/consign-package.XXXXXX")
base=${CONSIGN_PACKAGE_BASE:-$dir/base}
root=$dir/root

clean_up()
{
    if [ "${CONSIGN_PACKAGE_KEEP:-}" = 1 ]; then
        echo "$me: the folder stays: $dir"
    else
        rm -rf --one-file-system "$dir"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# quietly WHAT COMMAND...: shows what it printed only when it failed
quietly()
{
    local what=$1
    shift
    echo "$me: $what"
    "$@" >"$dir/log" 2>&1 </dev/null || { tail -n 30 "$dir/log" >&2; echo "$me: $what failed" >&2; exit 1; }
}

if [ ! -e "$base/etc/debian_version" ]; then
    quietly 'a clean Debian 12' \
        debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,curl,openssl,ca-certificates bookworm "$base"
fi
cp -a "$base" "$root"
