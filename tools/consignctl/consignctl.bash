# consignctl.bash: what bash completes of consignctl. Installed as bash-completion's file for it.
#
# What clients use is asked of the program (consignctl --commands); what operators use, behind --config FILE, stands here.
# tools/checks/consignctl compares both with the usage.
# shellcheck shell=bash

declare -gA _consignctl_operator=(
    [migrate]='--sql'
    [org]='create list disable enable --id --name'
    [sandbox]='create list disable enable --org --name'
    [client]='create list rights rotate disable enable --org --name --rights --id'
    [quota]='set list --org --sandbox --weight --running --jobs --lake-bytes --inbox-bytes'
    [retention]='set clear list --org --sandbox --dataset --days --hours --ms'
    [webhook]='create list rotate disable enable --org --sandbox --name --url --force'
    [jobs]='--org'
    [cancel]='--org --sandbox --job'
    [retry]='--org --sandbox --job'
    [verify]='--org'
    [load]='--dataset --format --delimiter --encoding --batch-bytes --again'
)

# _consignctl_client PROGRAM WORD...: what may follow these words of a client's command line.
_consignctl_client()
{
    local words=() program=$1
    shift
    while read -ra words; do
        if [ $# -eq 0 ]; then
            echo "${words[0]}"
        elif [ "${words[0]}" != "$1" ]; then
            continue
        elif [ "${words[1]#--}" = "${words[1]}" ] && [ "${words[1]}" != ID ]; then
            # a command of two words
            if [ $# -eq 1 ]; then
                echo "${words[1]}"
            elif [ "${words[1]}" = "$2" ]; then
                printf '%s\n' "${words[@]:2}"
            fi
        else
            printf '%s\n' "${words[@]:1}"
        fi
    done < <("$program" --commands 2>/dev/null)
}

_consignctl()
{
    local program=$1 word=$2 before=$3 words
    COMPREPLY=()
    case $before in
    --config | --sql | --body | --cacert) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --status) words='NEW PROCESSING CANCELLING SUCCEEDED FAILED CANCELLED' ;;
    --compression) words='zstd none' ;;
    --encoding) words='identity gzip zstd' ;;
    --format) words='json'; if [ "${COMP_WORDS[1]}" = --config ]; then words+=' csv'; else words+=' parquet'; fi ;;
    *)
        if [ "${COMP_WORDS[1]}" != --config ]; then
            words=$(_consignctl_client "$program" "${COMP_WORDS[@]:1:COMP_CWORD-1}" | grep -v '^[A-Z]*$' | sort -u)
            words=${words//=/}
            if [ "$COMP_CWORD" -eq 1 ]; then words+=' --config --help'; fi
        elif [ "$COMP_CWORD" -eq 3 ]; then
            words=${!_consignctl_operator[*]}
        else
            words=${_consignctl_operator[${COMP_WORDS[3]}]:-}
            if [ "${COMP_WORDS[3]}" = load ]; then mapfile -t COMPREPLY < <(compgen -f -- "$word"); fi
        fi
        ;;
    esac
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _consignctl consignctl
