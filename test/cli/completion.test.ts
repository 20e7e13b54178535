import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CommandShape, completionModel, quote } from '../../src/ui/completion/model.ts';
import { ddia, root, temporaryDirectory } from './run.ts';

const directory = temporaryDirectory();

/** Sources the script and asks it, for each line, what comes where the line ends. */
function complete(script: string, ...commandLines: string[][]): string[] {
  const path = join(directory, 'completion.bash');
  writeFileSync(path, script);
  const ask = commandLines.map((words) => `ask ${words.map(quote).join(' ')}`).join('\n');
  const program = `source ${path}
ask() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _ddia
  echo "\${COMPREPLY[*]}"
}
${ask}
complete -p ddia`;
  const { stdout, stderr } = spawnSync('bash', ['-c', program], { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

describe('completion', () => {
  it('completes commands, flags and values in bash', () => {
    const { status, stdout, stderr } = ddia(['completion', 'bash']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('#   source <(ddia completion bash)');
    const answers = complete(
      stdout,
      ['ddia', 'ident'],
      ['ddia', 'wal', 'verif'],
      ['ddia', 'inspect', '--rec'],
      ['ddia', 'inspect', 'some/file', '--dep'],
      ['ddia', 'find', 'key', '--value-format', 'b'],
      ['ddia', 'find', '--value-format', '=', 'h'],
      ['ddia', 'completion', ''],
      ['ddia', 'inspect', 'fix'],
      ['ddia', 'nothing', 'x'],
    );
    expect(answers).toEqual([
      'identify',
      'verify',
      '--record',
      '--depth',
      'base64',
      'hex',
      'bash zsh fish',
      '',
      '',
      'complete -o bashdefault -o default -F _ddia ddia',
    ]);
  });

  it('speaks to zsh and fish as well', () => {
    const zsh = ddia(['completion'], { env: { SHELL: '/bin/zsh' } });
    expect(zsh.stdout).toMatch(/^#compdef ddia\n/);
    expect(zsh.stdout).toContain("'identify:say which family and dialect files are of, and why'");
    const fish = ddia(['completion', 'fish']);
    expect(fish.stdout).toContain("complete -c ddia -n '__ddia_at \\'wal\\'' -f -a verify -d ");
  });

  it('refuses a shell that it does not know', () => {
    expect(ddia(['completion', 'tcsh']).status).toBe(2);
    expect(ddia(['completion'], { env: { SHELL: '/bin/tcsh' } })).toMatchObject({
      status: 2,
      stdout: '',
    });
  });
});

describe('the model', () => {
  const command = (id: string, more: Partial<CommandShape> = {}): CommandShape => ({
    id,
    flags: {},
    args: {},
    ...more,
  });

  it('has a node for the beginning, every topic and every command that is to be seen', () => {
    const { nodes } = completionModel(
      'ddia',
      [
        command('dump', { summary: "<%= config.bin %> prints what's there\nand more" }),
        command('wal:dump'),
        command('secret', { hidden: true }),
      ],
      [{ name: 'wal', description: 'logs' }],
    );
    expect(nodes.map(({ path }) => path)).toEqual(['', 'dump', 'wal', 'wal dump']);
    expect(nodes[0]!.words).toEqual([
      { name: 'wal', summary: 'logs' },
      { name: 'dump', summary: "ddia prints what's there" },
    ]);
  });

  it('quotes what a shell would take for its own', () => {
    expect(quote("it's $HOME")).toBe("'it'\\''s $HOME'");
  });
});
