# shellcheck shell=bash
# bash completion for berth(8): berth itself knows the candidates.

_berth() {
    local cur cword candidate
    local -a words
    if declare -F _get_comp_words_by_ref > /dev/null; then
        # Image names hold colons and --set holds `=`; neither ends a word here.
        _get_comp_words_by_ref -n =: cur words cword
    else
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
        cur=${words[cword]}
    fi
    COMPREPLY=()
    while IFS= read -r candidate; do
        candidate=${candidate%%$'\t'*}
        # A name that came with an image must not become shell syntax on the command line.
        if [[ $candidate == *[!-A-Za-z0-9._:/@=]* ]]; then
            continue
        fi
        COMPREPLY+=("$candidate")
    done < <("${words[0]}" __complete "$cword" -- "${words[@]}" 2> /dev/null)
    if declare -F __ltrim_colon_completions > /dev/null; then
        __ltrim_colon_completions "$cur"
    fi
}

# Without a candidate bash completes file names.
complete -o default -F _berth berth
