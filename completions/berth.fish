# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for berth(8). berth itself prints the candidates.

function __berth_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l candidates ($before[1] __complete (count $before) -- $before "$current" 2>/dev/null)
    if test (count $candidates) -gt 0
        printf '%s\n' $candidates
    else
        __fish_complete_path "$current"
    end
end

complete -c berth -f -a '(__berth_complete)'
