_ckptmap() {
    local rest=${COMP_LINE:0:COMP_POINT} word i n=-1
    local -a words
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # Bash takes words apart at `:` and `=`, which stand in `builtin:NAME` and `--map=FILE`.
        if ((n >= 0)) && [[ $rest != [[:blank:]]* ]]; then
            words[n]+=$word
        else
            words[++n]=$word
        fi
        while [[ $rest == [[:blank:]]* ]]; do rest=${rest#?}; done
        rest=${rest#"$word"}
    done
    # A quotation that is still open.
    [[ ${words[n]} == [\"\']* ]] && words[n]=${words[n]#?}
    # Only what stands behind the last place where bash took apart is replaced.
    local before=${words[n]%"$2"} typed=${words[n]}
    # The program gets words as it would when the line is run: without quotes, with `~` resolved.
    for i in "${!words[@]}"; do
        word=${words[i]}
        if ((i < n)); then
            case $word in
                \'*\' | \"*\") word=${word:1:${#word}-2} ;;
                *) word=${word//\\/} ;;
            esac
        fi
        [[ ${words[i]} == "~/"* ]] && word=$HOME${word#"~"}
        words[i]=$word
    done
    local IFS=$'\n'
    COMPREPLY=($(CKPTMAP_COMPLETE=bash _CLAP_COMPLETE_INDEX=$n _CLAP_IFS=$IFS \
        ckptmap -- "${words[@]}" 2>/dev/null))
    if [[ $typed == "~/"* ]]; then
        for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]="~${COMPREPLY[i]#"$HOME"}"; done
    fi
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    # Options come to those who begin one, or where nothing else can stand.
    if [[ -z $2 && ${COMPREPLY[0]-} != -* ]]; then
        for i in "${!COMPREPLY[@]}"; do [[ ${COMPREPLY[i]} == -* ]] && unset "COMPREPLY[i]"; done
    fi
    # Whoever goes on within a word wants no space behind it.
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} != *[/:=] ]]; then
        type -t compopt >/dev/null && compopt +o nospace
    fi
}
# Names that only bash can quote are not offered; it completes files itself then.
complete -o nospace -o bashdefault -o default -F _ckptmap ckptmap
