/** What a completion script has to know of the commands. */

export interface CompletionFlag {
  /** Without the dashes. */
  name: string;
  summary: string;
  takesValue: boolean;
  /** The values that it may have, where they are few. */
  options: readonly string[];
}

export interface CompletionNode {
  /** The words so far: `wal verify`; empty for the command line's beginning. */
  path: string;
  /** Words that may come next. */
  words: readonly { name: string; summary: string }[];
  flags: readonly CompletionFlag[];
}

export interface CompletionModel {
  bin: string;
  /** The beginning, every topic and every command. */
  nodes: readonly CompletionNode[];
}

/** A command as oclif knows it, as far as it matters here. */
export interface CommandShape {
  readonly id: string;
  readonly hidden?: boolean;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly flags: Readonly<Record<string, FlagShape>>;
  readonly args: Readonly<Record<string, { options?: readonly string[] | undefined }>>;
}

interface FlagShape {
  readonly name: string;
  readonly hidden?: boolean;
  readonly type: string;
  readonly allowNo?: boolean;
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly options?: readonly string[] | undefined;
}

export function completionModel(
  bin: string,
  commands: readonly CommandShape[],
  topics: readonly {
    name: string;
    description?: string | undefined;
    hidden?: boolean | undefined;
  }[],
): CompletionModel {
  const nodes = new Map<string, { words: Map<string, string>; flags: CompletionFlag[] }>();
  const nodeOf = (path: string) => {
    let node = nodes.get(path);
    if (!node) nodes.set(path, (node = { words: new Map(), flags: [] }));
    return node;
  };
  nodeOf('');
  const place = (id: string, summary: string): void => {
    const words = id.split(':');
    for (let i = 0; i < words.length; i++) {
      const parent = nodeOf(words.slice(0, i).join(' '));
      const last = i === words.length - 1;
      // The first to say something about a word is heard; a topic is told of before its commands.
      if (last || !parent.words.has(words[i]!)) {
        const known = parent.words.get(words[i]!);
        parent.words.set(words[i]!, known || (last ? summary : ''));
      }
    }
  };
  for (const { name, description, hidden } of topics) {
    if (!hidden) place(name, oneLine(description, bin));
  }
  for (const command of commands) {
    if (command.hidden) continue;
    place(command.id, oneLine(command.summary ?? command.description, bin));
    const node = nodeOf(command.id.replaceAll(':', ' '));
    node.flags = flagsOf(command, bin);
    const [first] = Object.values(command.args);
    for (const option of first?.options ?? []) node.words.set(option, '');
  }
  return {
    bin,
    nodes: [...nodes].map(([path, { words, flags }]) => ({
      path,
      words: [...words].map(([name, summary]) => ({ name, summary })),
      flags,
    })),
  };
}

function flagsOf(command: CommandShape, bin: string): CompletionFlag[] {
  const flags: CompletionFlag[] = [];
  for (const flag of Object.values(command.flags)) {
    if (flag.hidden) continue;
    const summary = oneLine(flag.summary ?? flag.description, bin);
    const takesValue = flag.type === 'option';
    flags.push({ name: flag.name, summary, takesValue, options: flag.options ?? [] });
    if (flag.allowNo) flags.push({ name: `no-${flag.name}`, summary: '', takesValue, options: [] });
  }
  flags.push({ name: 'help', summary: 'show help', takesValue: false, options: [] });
  return flags.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function oneLine(text: string | undefined, bin: string): string {
  const [line = ''] = (text ?? '').split('\n');
  return line.replace(/<%=\s*config\.bin\s*%>/g, bin);
}

/** In single quotes, as all three shells understand them. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
