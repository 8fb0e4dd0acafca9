# process.sh: starts, finds and stops the stack's processes. pids/NAME holds the pid, pids/NAME.start
# its start time and the boot it belongs to; a process is ours only when all three agree, so that a pid
# used again is never signalled.
# shellcheck shell=bash

# What this call started, for the way back when a later part fails.
PROCESS_STARTED=()

# The fields of /proc/PID/stat from the third on, in PROCESS_STAT; fails when there is no such process.
# 0 is the state, 1 the parent, 3 the session, 19 the start time.
process_stat()
{
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    # the name stands in parentheses and may hold anything
    read -ra PROCESS_STAT <<<"${line##*) }"
}

# What is recorded of a service: RECORD_PID, RECORD_START; fails when nothing is, or it was before this boot. Forks nothing,
# as all that is asked many times in a start.
process_recorded()
{
    local boot now
    { read -r RECORD_PID <"$STATE/pids/$1" && read -r RECORD_START boot <"$STATE/pids/$1.start"; } 2>/dev/null || return 1
    read -r now </proc/sys/kernel/random/boot_id
    [ "$boot" = "$now" ]
}

process_pid() { cat "$STATE/pids/$1"; }

# Whether the process of a pid and a start time lives.
process_is()
{
    process_stat "$1" || return 1
    [ "${PROCESS_STAT[19]}" = "$2" ] && [ "${PROCESS_STAT[0]}" != Z ] && [ "${PROCESS_STAT[0]}" != X ]
}

# Whether the recorded process of a service lives.
process_alive()
{
    process_recorded "$1" && process_is "$RECORD_PID" "$RECORD_START"
}

# process_start NAME LOG COMMAND...: in the background, in a session of its own, output to log/LOG.
process_start()
{
    local name=$1 log=log/$2 pid fd
    shift 2
    if [ -s "$log" ]; then mv -f "$log" "$log.old"; fi
    (
        # the lock, and whatever a caller such as make or a test left open
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            if [ "$fd" -gt 2 ] && [ "$fd" != 255 ]; then eval "exec $fd>&-"; fi
        done
        # the shell ignores both for what it starts in the background
        exec setsid env --default-signal=INT,QUIT "$@" </dev/null >>"$log" 2>&1
    ) &
    pid=$!
    PROCESS_STARTED+=("$name")
    rm -f "pids/$name" "pids/$name.start"
    if process_stat "$pid"; then
        printf '%s %s\n' "${PROCESS_STAT[19]}" "$(cat /proc/sys/kernel/random/boot_id)" >"pids/$name.start"
        echo "$pid" >"pids/$name"
    fi
}

# process_await NAME LOG SECONDS CHECK...: returns when CHECK succeeds; gives up when the process ends
# or the time is over.
process_await()
{
    local name=$1 log=$2 seconds=$3 end=$((SECONDS + $3))
    shift 3
    until "$@" >/dev/null 2>&1; do
        process_alive "$name" || process_fail "$name" "$log" "it ended"
        [ "$SECONDS" -le "$end" ] || process_fail "$name" "$log" "it was not ready after $seconds seconds"
        sleep 0.05
    done
}

# process_fail NAME LOG REASON: says what failed, shows the end of its log, takes back what was started.
process_fail()
{
    local i
    {
        say "$1 did not start: $3"
        if [ -s "log/$2" ]; then
            say "the end of $STATE/log/$2:"
            tail -n 20 "log/$2" | sed 's/^/    /'
        else
            say "its log $STATE/log/$2 is empty"
        fi
    } >&2
    for ((i = ${#PROCESS_STARTED[@]} - 1; i >= 0; i--)); do
        stack_stop_one "${PROCESS_STARTED[i]}" || true
    done
    exit 1
}

# Prints "pid start-time" of everything that belongs to a recorded process: its descendants and the
# members of its session, which outlive it when it was killed.
process_members()
{
    local leader=$1 leader_start=$2 stat pid found=" $1 " grown=1 foreign=''
    local -A parent=() session=() start=()

    for stat in /proc/[0-9]*/stat; do
        pid=${stat#/proc/} pid=${pid%/stat}
        process_stat "$pid" || continue
        case ${PROCESS_STAT[0]} in Z|X) continue ;; esac
        parent[$pid]=${PROCESS_STAT[1]} session[$pid]=${PROCESS_STAT[3]} start[$pid]=${PROCESS_STAT[19]}
    done
    # The number may belong to somebody else now; then its session does too. While a member of ours
    # lives, the kernel does not give the number away.
    if [ "${start[$leader]:-$leader_start}" != "$leader_start" ]; then foreign=1; fi
    while [ -z "$foreign" ] && [ "$grown" = 1 ]; do
        grown=0
        for pid in "${!parent[@]}"; do
            [[ $found = *" $pid "* ]] && continue
            if [ "${session[$pid]}" = "$leader" ] || [[ $found = *" ${parent[$pid]} "* ]]; then
                found+="$pid "
                grown=1
                printf '%s %s\n' "$pid" "${start[$pid]}"
            fi
        done
    done
}

# Waits until nothing of a list of "pid start-time" lines lives; fails when the time is over.
process_gone()
{
    local list=$1 end=$((SECONDS + $2)) pid start left
    while :; do
        left=0
        while read -r pid start; do
            if [ -n "$pid" ] && process_is "$pid" "$start"; then left=1; fi
        done <<<"$list"
        [ "$left" = 1 ] || return 0
        [ "$SECONDS" -le "$end" ] || return 1
        sleep 0.05
    done
}

# Sends KILL to all of a list of "pid start-time" lines.
process_kill()
{
    local pid start
    while read -r pid start; do
        if [ -n "$pid" ] && process_is "$pid" "$start"; then kill -s KILL "$pid" 2>/dev/null || true; fi
    done <<<"$1"
}

# process_stop NAME SECONDS SIGNAL...: ends a service and all that belongs to it. Each signal gets its
# SECONDS, then comes KILL. Fails only when something survives that. Also clears up after a service that
# was killed; nothing to do is fine.
process_stop()
{
    local name=$1 seconds=$2 pid start all signal
    shift 2
    if process_recorded "$name"; then
        pid=$RECORD_PID start=$RECORD_START
        all="$pid $start"$'\n'$(process_members "$pid" "$start")
        for signal in "$@"; do
            process_is "$pid" "$start" || break
            kill -s "$signal" "$pid" 2>/dev/null || true
            if process_gone "$pid $start" "$seconds"; then break; fi
        done
        all+=$'\n'$(process_members "$pid" "$start")
        # what the parent's end did not end gets a moment of its own
        if ! process_gone "$all" 2; then
            say "$name did not stop by itself and is killed" >&2
            process_kill "$all"
            if ! process_gone "$all" 5; then
                say "$name is still there, pid $pid" >&2
                return 1
            fi
        fi
    fi
    rm -f "$STATE/pids/$name" "$STATE/pids/$name.start"
}
