# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# bash completion for berth(8). berth itself prints the candidates.

_berth() {
    local cur cword candidate
    local -a words
    if declare -F _get_comp_words_by_ref > /dev/null; then
        # Image names contain `:` and values of --set contain `=`: neither separates words.
        _get_comp_words_by_ref -n =: cur words cword
    else
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
        cur=${words[cword]}
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        candidate=${candidate%%$'\t'*}
        # A name that an image chose must not become shell syntax on the command line.
        if [[ $candidate == *[!-A-Za-z0-9._:/@=]* ]]; then
            continue
        fi
        COMPREPLY+=("$candidate")
    done < <("${words[0]}" __complete "$cword" -- "${words[@]}" 2> /dev/null)
    if declare -F __ltrim_colon_completions > /dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

# Without candidates, bash completes file names.
complete -o default -F _berth berth
