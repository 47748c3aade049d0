/** What a shell reads to complete our commands. All three ask us for the words, so that none knows a command by itself. */
import type { SHELLS } from './candidates.ts';

export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = {
  // Works with the bash 3.2 of macOS. Readline takes a word to begin after ":" and "=", so that much is taken off.
  bash: `# To have it in each shell:  echo 'source <(tsup-visor completion bash)' >> ~/.bashrc
_tsup_visor() {
  local text="\${COMP_LINE:0:COMP_POINT}" cur before="" found about
  local -a words
  IFS=$' \\t' read -ra words <<< "$text"
  case "$text" in *[[:space:]]) words+=("") ;; esac
  cur="\${words[\${#words[@]}-1]}"
  case "$COMP_WORDBREAKS" in *:*) before="\${cur%"\${cur##*[:=]}"}" ;; esac
  COMPREPLY=()
  while IFS=$'\\t' read -r found about; do
    COMPREPLY+=("\${found#"$before"}")
    case "$found" in *=) compopt -o nospace 2>/dev/null ;; esac
  done < <("\${words[0]/#\\~/$HOME}" completion candidates -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _tsup_visor tsup-visor
`,
  zsh: `#compdef tsup-visor
# To have it in each shell:  echo 'source <(tsup-visor completion zsh)' >> ~/.zshrc   (after compinit)
_tsup_visor() {
  local found about
  local -a whole open
  while IFS=$'\\t' read -r found about; do
    if [[ $found == *= ]]; then open+=("\${found//:/\\\\:}:$about")
    else whole+=("\${found//:/\\\\:}:$about"); fi
  done < <("\${(Q)words[1]}" completion candidates -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  if (( $#whole + $#open == 0 )); then _files; return; fi
  (( $#whole )) && _describe 'tsup-visor' whole
  (( $#open )) && _describe 'tsup-visor' open -S ''
}
if [[ $funcstack[1] == _tsup_visor ]]; then _tsup_visor "$@"; else compdef _tsup_visor tsup-visor; fi
`,
  fish: `# To have it in each shell:  tsup-visor completion fish > ~/.config/fish/completions/tsup-visor.fish
function __tsup_visor_candidates
    set -l words (commandline -opc)
    set -l found ($words[1] completion candidates -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -eq 0
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c tsup-visor -f -a '(__tsup_visor_candidates)'
`,
};
