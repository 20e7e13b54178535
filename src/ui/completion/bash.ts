import { type CompletionModel, quote } from './model.ts';

export function bashScript({ bin, nodes }: CompletionModel): string {
  const name = `_${bin.replace(/\W/g, '_')}`;
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  const cases = nodes.map(({ path, words, flags }) => {
    const names = words.map((word) => word.name).join(' ');
    const dashed = flags.map((flag) => `--${flag.name}`).join(' ');
    return `    ${quote(path)}) words=${quote(names)} flags=${quote(dashed)} ;;`;
  });
  const values = nodes.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map(
        (flag) => `    ${quote(`${path} --${flag.name}`)}) values=${valueList(flag.options)} ;;`,
      ),
  );
  return `# bash completion for ${bin}
#
# For this shell:
#   source <(${bin} completion bash)
# For every shell, with the package bash-completion installed:
#   ${bin} completion bash > ~/.local/share/bash-completion/completions/${bin}

${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' longer words='' flags='' values='-' i
  COMPREPLY=()
  # bash cuts --flag=value in three.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    longer="\${command:+$command }\${COMP_WORDS[i]}"
    case $longer in
      ${paths.join(' | ')}) command=$longer ;;
      *) break ;;
    esac
  done
  case $command in
${cases.join('\n')}
  esac
  # What follows a flag that takes a value; files, if the values are not known.
  case "$command $prev" in
${values.join('\n')}
  esac
  if [[ $values != '-' ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
  elif [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
  elif ((i == COMP_CWORD)); then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
# Where nothing is known to come next, names of files.
complete -o bashdefault -o default -F ${name} ${bin}
`;
}

function valueList(options: readonly string[]): string {
  return quote(options.join(' '));
}
