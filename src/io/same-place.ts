/**
 * A result must not take the place of what it is made from: replacing would remove that. Nor may it
 * lie within: it would be part of what is read the next time.
 */
import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { DdiaError } from '../shared/errors.ts';

/**
 * Throws where `source` is `target`, or one of them lies within the other, by whatever names. A
 * source that is not there is told of by whoever reads it.
 */
export function refuseSource(target: string, source: string): void {
  const [to, from] = [realPlace(target), realPlace(source)];
  const what = isWithin(from, to)
    ? from === to
      ? 'is what is read'
      : `has in it what is read, ${source}`
    : isWithin(to, from) && isDirectory(from)
      ? `lies within what is read, ${source}`
      : undefined;
  if (what) throw new DdiaError('same-place', `${target} ${what}`, 'choose another place');
}

/** Throws where one of two results would lie within the other. */
export function refuseOverlap(one: string, other: string): void {
  const [a, b] = [realPlace(one), realPlace(other)];
  if (!isWithin(a, b) && !isWithin(b, a)) return;
  const what = a === b ? 'is the same place as' : isWithin(a, b) ? 'lies within' : 'has in it';
  throw new DdiaError('same-place', `${one} ${what} ${other}`, 'choose another place for one');
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
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
