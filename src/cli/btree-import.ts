/** btree import: lines of JSON into a store. */

import type { NewTree } from '../engines/btree/tree-file.ts';
import { V1Store } from '../engines/btree-v1/store.ts';
import type { Loader } from '../engines/btree-v1/tree-file.ts';
import type { LoadShape } from '../formats/btree/v1/bulk-load.ts';
import { bytesFromJson } from '../formats/bytes/json-bytes.ts';
import { badLine, fieldsOfLine } from '../formats/bytes/json-line.ts';
import { readLines } from '../io/lines.ts';
import { usageError } from '../shared/errors.ts';
import { type AnyStore, type Operation, type StoreOptions, withBtree } from './btree-engine.ts';
import { inLine, withKept } from './writable.ts';

export interface ImportResult {
  dir: string;
  puts: number;
  deletions: number;
  /** Keys in the store afterwards. */
  keys: number;
}

/**
 * Lines of standard input; those that come together are one transaction. A new store is loaded
 * front to back as long as keys ascend. Once they do not, the rest is put into it; one of layout v1
 * is written anew at the end, so that the file is the same either way. In both cases no more than a
 * cache of it is ever in memory.
 */
export function importLines(
  dir: string,
  options: StoreOptions,
  shape: LoadShape,
  signal: AbortSignal,
): Promise<ImportResult> {
  return withBtree(dir, options, async (store) => {
    const importer = new Importer(store, shape);
    try {
      const visit = (line: Buffer, number: number) => importer.take(line, number);
      await readLines(0, visit, signal, () => importer.send());
      await importer.end();
    } catch (error) {
      importer.abort();
      throw withKept(error, importer.kept);
    }
    const { puts, deletions } = importer;
    return { dir, puts, deletions, keys: store.size };
  });
}

class Importer {
  puts = 0;
  deletions = 0;
  /** Records that are in the store for good, whatever comes. */
  kept = 0;
  #waiting: Operation[] = [];
  /** As long as every key was greater than the one before. */
  #loader: Loader | NewTree | undefined;
  /** It was, for a while. */
  #unsorted = false;

  constructor(
    readonly store: AnyStore,
    readonly shape: LoadShape,
  ) {
    const shaped = shape.keysMax !== undefined || shape.freePages !== undefined;
    if (shaped && (store.size > 0 || !(store instanceof V1Store))) {
      const what = '--max-keys and --free-pages are for a new store of layout v1';
      throw usageError('bad-option', what);
    }
    if (store.size === 0) this.#loader = store.loader(shape);
  }

  take(line: Buffer, number: number): void {
    const operation = operationOf(line, number);
    if (operation === undefined) return;
    inLine(number, () => this.store.checkFits(operation));
    const { key, value } = operation;
    if (value === undefined) this.deletions++;
    else this.puts++;
    const loader = this.#loader;
    if (!loader || value === undefined || this.#waiting.length > 0 || !loader.takes(key)) {
      this.#waiting.push(operation);
      return;
    }
    const ends = { keyEnd: key.length, valueEnd: value.length };
    inLine(number, () => {
      loader.add({ bytes: key, keyStart: 0, valueBytes: value, valueStart: 0, ...ends });
    });
  }

  async send(): Promise<void> {
    const operations = this.#waiting;
    if (operations.length === 0) return;
    if (this.#finishLoad()) this.#unsorted = true;
    this.#waiting = [];
    await this.store.batch(operations);
    this.kept += operations.length;
  }

  /** False if that was done before, or nothing is loaded. */
  #finishLoad(): boolean {
    const { store } = this;
    const loader = this.#loader;
    if (loader === undefined) return false;
    this.#loader = undefined;
    if (store instanceof V1Store) store.finishLoad(loader as Loader);
    else store.finishLoad(loader as NewTree);
    this.kept = this.puts + this.deletions - this.#waiting.length;
    return true;
  }

  async end(): Promise<void> {
    if (this.#finishLoad()) return;
    const { store } = this;
    if (this.#unsorted && store instanceof V1Store) await store.vacuum({ shape: this.shape });
  }

  abort(): void {
    this.#loader?.abort();
  }
}

/** Undefined for lines that carry no record: empty ones, `damage` and `summary`. */
export function operationOf(line: Buffer, number: number): Operation | undefined {
  const fields = fieldsOfLine(line, number);
  if (!fields) return undefined;
  const key = bytesFromJson(fields['key']);
  if (!key) throw badLine(number, 'it has no "key" that is a string, {"hex"} or {"base64"}');
  if (fields['deleted'] === true || fields['op'] === 'delete') return { key, value: undefined };
  const value = bytesFromJson(fields['value']);
  if (!value) throw badLine(number, 'it has neither a "value" nor "deleted": true');
  return { key, value };
}
