import type { CompletionModel } from './model.ts';

export function fishScript({ bin, nodes }: CompletionModel): string {
  const at = `__${bin.replace(/\W/g, '_')}_at`;
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => quote(path));
  const lines = nodes.flatMap(({ path, words, flags }) => {
    const when = `complete -c ${bin} -n ${quote(`${at} ${quote(path)}`)}`;
    return [
      ...words.map(({ name, summary }) => `${when} -f -a ${name}${described(summary)}`),
      ...flags.map(({ name, summary, takesValue, options }) => {
        const values = options.length > 0 ? ` -x -a ${quote(options.join(' '))}` : ' -r';
        return `${when} -l ${name}${takesValue ? values : ''}${described(summary)}`;
      }),
    ];
  });
  return `# fish completion for ${bin}
#
# For this shell:
#   ${bin} completion fish | source
# For every shell:
#   ${bin} completion fish > ~/.config/fish/completions/${bin}.fish

function ${at} --description 'whether the words before the cursor are this command'
    set -l words (commandline -opc)
    set -e words[1]
    set -l command ''
    for word in $words
        set -l longer (string trim -- "$command $word")
        contains -- "$longer" ${paths.join(' ')}
        or break
        set command $longer
    end
    test "$command" = "$argv[1]"
end

${lines.join('\n')}
`;
}

function described(summary: string): string {
  return summary === '' ? '' : ` -d ${quote(summary)}`;
}

/** fish escapes within single quotes, where other shells do not. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
