/** What tests of the store share: short keys and values, its content, the codes of errors. */
import { readdirSync } from 'node:fs';
import type { BitcaskOptions } from '../../../src/engines/bitcask/options.ts';
import { BitcaskStore } from '../../../src/engines/bitcask/store.ts';
import { bootProcesses } from '../../../src/io/processes.ts';
import { SimDisk, type SimDiskOptions } from '../../../src/io/sim-disk/sim-disk.ts';
import { DdiaError } from '../../../src/shared/errors.ts';

export const ROOT = '/store';

export const b = (text: string): Buffer => Buffer.from(text);

export function content(store: {
  scan(): Iterable<{ key: Buffer; value: Buffer }>;
}): [string, string][] {
  return [...store.scan()].map(({ key, value }) => [key.toString(), value.toString()]);
}

/** The `code` of what `act` throws or rejects with. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    if (error instanceof DdiaError) return error.code;
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
  return 'no error';
}

export const simDisk = (options: SimDiskOptions = {}): SimDisk =>
  new SimDisk({ root: ROOT, ...options });

export function openOn(disk: SimDisk, options: BitcaskOptions = {}): Promise<BitcaskStore> {
  return BitcaskStore.open(disk, ROOT, { processes: bootProcesses(disk.boot), ...options });
}

/** Data and hint files by name. */
export const filesOf = (names: string[]): string[] =>
  names.filter((name) => /\.bc[dh]$/.test(name));
export const filesIn = (directory: string): string[] => filesOf(readdirSync(directory).sort());

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
