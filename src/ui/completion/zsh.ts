import { type CompletionModel, quote } from './model.ts';

export function zshScript({ bin, nodes }: CompletionModel): string {
  const name = `_${bin.replace(/\W/g, '_')}`;
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  const cases = nodes.map(({ path, words, flags }) => {
    const described = words.map((word) => describe(word.name, word.summary));
    const dashed = flags.map((flag) => describe(`--${flag.name}`, flag.summary));
    return (
      `    ${quote(path)})\n` +
      `      next=(${described.join(' ')})\n` +
      `      flags=(${dashed.join(' ')})\n      ;;`
    );
  });
  const values = nodes.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map(
        (flag) =>
          `    ${quote(`${path} --${flag.name}`)}) ${
            flag.options.length > 0
              ? `compadd -- ${flag.options.map(quote).join(' ')}; return`
              : '_files; return'
          } ;;`,
      ),
  );
  return `#compdef ${bin}
# zsh completion for ${bin}
#
# For this shell:
#   source <(${bin} completion zsh)
# For every shell, in a directory of your $fpath:
#   ${bin} completion zsh > "\${fpath[1]}/_${bin}"

${name}() {
  local command='' longer
  local -i i
  local -a next flags
  for ((i = 2; i < CURRENT; i++)); do
    longer="\${command:+$command }$words[i]"
    case $longer in
      (${paths.join(' | ')}) command=$longer ;;
      (*) break ;;
    esac
  done
  case $command in
${cases.map((text) => text.replace("    '", "    ('")).join('\n')}
  esac
  case "$command $words[CURRENT-1]" in
${values.map((text) => text.replace("    '", "    ('")).join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o 'flag' flags
  elif ((i == CURRENT && $#next)); then
    _describe 'command' next
  else
    _files
  fi
}

if [[ $funcstack[1] == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${bin}
fi
`;
}

/** `word:what it means`, with the colons of the word itself escaped. */
function describe(word: string, summary: string): string {
  const escaped = word.replaceAll(':', '\\:');
  return quote(summary === '' ? escaped : `${escaped}:${summary}`);
}
