/** A result must not take the place of what it is made from: replacing would remove that. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { DdiaError } from '../shared/errors.ts';

/** Throws where `source` is `target`, or lies within it, by whatever names. */
export function refuseSource(target: string, source: string): void {
  const way = relative(realPlace(target), realPlace(source));
  if (way === '..' || way.startsWith(`..${sep}`)) return;
  const what = way === '' ? 'is what is read' : `has in it what is read, ${source}`;
  throw new DdiaError('same-place', `${target} ${what}`, 'choose another place');
}

/** Where a path leads through all links; of what is not there yet, the place where it will be. */
export function realPlace(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch {
    const parent = dirname(whole);
    return parent === whole ? whole : join(realPlace(parent), basename(whole));
  }
}
