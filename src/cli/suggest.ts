/** What somebody may have meant who wrote a command that is none. */

/**
 * Letters to insert, remove, change or exchange with their neighbour (optimal string alignment:
 * Levenshtein's distance, with transpositions).
 */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      row[j] = best;
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

export interface Unknown {
  /** The words that were taken for a command. */
  given: string;
  /** The nearest command; undefined when nothing is near. */
  meant: string | undefined;
}

/** Words longer than this are paths, not misspelt commands. */
const WORD_LENGTH_MAX = 40;

/**
 * `words`: the command line up to its first flag; some of them at its end may be arguments. `ids`:
 * the commands, as `topic:verb`. A command of n words is compared with the first n words.
 */
export function explainUnknown(words: readonly string[], ids: readonly string[]): Unknown {
  let best: { id: string[]; cost: number } | undefined;
  for (const text of ids) {
    const id = text.split(':');
    const given = words.slice(0, id.length);
    if (given.length < id.length || given.some((word) => word.length > WORD_LENGTH_MAX)) continue;
    const cost = distance(given.join(' '), id.join(' '));
    if (cost > farthest(id)) continue;
    if (!best || cost < best.cost) best = { id, cost };
  }
  if (best) return { given: words.slice(0, best.id.length).join(' '), meant: best.id.join(' ') };
  // Nothing is near: the first word that no command begins with is the one that is wrong.
  let known = 0;
  while (known < words.length - 1) {
    const topic = words.slice(0, known + 1).join(':');
    if (!ids.some((id) => id.startsWith(`${topic}:`))) break;
    known++;
  }
  return { given: words.slice(0, known + 1).join(' '), meant: undefined };
}

/** A third of the letters may be wrong, and at least one. */
function farthest(id: readonly string[]): number {
  return Math.max(1, Math.floor(id.join('').length / 3));
}
