/** Rows of another program's file, put into a new B+tree store of ours, which appears whole. */
import { BtreeStore, type Operation } from '../engines/btree/store.ts';
import { keyBytesMax } from '../formats/btree/v2/layout.ts';
import type { Identified } from '../formats/detect.ts';
import type { SalvageReport, ScanContext } from '../formats/format.ts';
import { NewDirectory } from '../io/new-directory.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError, fromSystemError } from '../shared/errors.ts';

const PAGE_BYTES = 4096;
/** The largest, for keys that the usual one has no room for. */
const LARGE_PAGE_BYTES = 32_768;
/** Behind a key that is cut: how long it is, and perhaps a number. */
const CUT_BYTES = 32;
const KEY_BYTES_MAX = keyBytesMax(LARGE_PAGE_BYTES);
/** What is held before it goes into the tree. */
const WAITING_BYTES = 8 * 1024 * 1024;
/** Trees are walked in key order, so that few pages are looked at again. */
const CACHE_BYTES = 64 * 1024 * 1024;

export async function salvageIntoStore(
  input: Identified,
  out: string,
  force: boolean,
  context: ScanContext,
): Promise<SalvageReport> {
  try {
    return await salvageWith(input, out, force, PAGE_BYTES, context);
  } catch (error) {
    if (!(error instanceof DdiaError) || error.code !== 'too-long') throw error;
  }
  try {
    return await salvageWith(input, out, force, LARGE_PAGE_BYTES, context);
  } catch (error) {
    if (!(error instanceof DdiaError) || error.code !== 'too-long') throw error;
    throw new DdiaError(error.code, error.message, '--to ndjson holds values of any length');
  }
}

async function salvageWith(
  input: Identified,
  out: string,
  force: boolean,
  pageSize: number,
  context: ScanContext,
): Promise<SalvageReport> {
  const disk = new RealDisk();
  const directory = new NewDirectory(disk, out, force);
  let store: BtreeStore | undefined;
  try {
    const bounds = { cacheBytes: CACHE_BYTES, dirtyBytes: CACHE_BYTES };
    store = BtreeStore.open(disk, directory.temporary, { sync: 'none', pageSize, ...bounds });
    const pairs = new Pairs(store, pageSize === LARGE_PAGE_BYTES);
    const pair = (key: Uint8Array, value: Uint8Array) => pairs.add(key, value);
    const report = await input.family.salvage!(input, context, { to: 'v2', pair });
    pairs.flush();
    // They came tree by tree, and not in the order of their bytes.
    await store.vacuum({ waiting: context });
    store.close();
    store = undefined;
    directory.finish();
    return report;
  } catch (error) {
    throw lostStore(error, out);
  } finally {
    letGo(store);
    directory.abandon();
  }
}

/** A store that cannot be written is not one to open again, as its own message has it. */
function lostStore(error: unknown, out: string): unknown {
  if (!(error instanceof DdiaError) || error.code !== 'poisoned') return error;
  return error.cause === undefined ? error : fromSystemError(error.cause, out);
}

/** Of a store that is thrown away: why it failed is told already. */
function letGo(store: BtreeStore | undefined): void {
  try {
    store?.close();
  } catch {}
}

/** Puts pairs into the store; a key that comes again is numbered, so that none takes the place. */
class Pairs {
  /** Bytes of those that wait, one behind the other: an allocation a pair would be for nothing. */
  readonly #bytes = Buffer.allocUnsafe(WAITING_BYTES);
  #end = 0;
  #waiting: Operation[] = [];
  readonly #keys = new Set<string>();

  constructor(
    readonly store: BtreeStore,
    /** There are no larger pages: a key that is too long is cut. */
    readonly cuts: boolean,
  ) {}

  /** The bytes stay the caller's. */
  add(key: Uint8Array, value: Uint8Array): void {
    const own = this.#unused(key);
    if (this.cuts && own.length > KEY_BYTES_MAX) {
      this.add(cut(key), Buffer.concat([key, value]));
      return;
    }
    this.store.checkFits({ key: own, value });
    const bytes = own.length + value.length;
    if (bytes > WAITING_BYTES - this.#end) this.flush();
    if (bytes > WAITING_BYTES) this.#waiting.push({ key: own, value });
    else this.#waiting.push({ key: this.#copy(own), value: this.#copy(value) });
    if (bytes > WAITING_BYTES) this.flush();
    else this.#keys.add(textOf(own));
  }

  #copy(bytes: Uint8Array): Uint8Array {
    const start = this.#end;
    this.#bytes.set(bytes, start);
    this.#end += bytes.length;
    return this.#bytes.subarray(start, this.#end);
  }

  /** The key, or its first number that is free: searched, for one key may come a million times. */
  #unused(key: Uint8Array): Uint8Array {
    if (!this.#taken(key)) return key;
    let last = 1;
    let free = 2;
    while (this.#taken(numbered(key, free))) {
      last = free;
      free *= 2;
    }
    while (free - last > 1) {
      const middle = (last + free) >>> 1;
      if (this.#taken(numbered(key, middle))) last = middle;
      else free = middle;
    }
    return numbered(key, free);
  }

  #taken(key: Uint8Array): boolean {
    return this.#keys.has(textOf(key)) || this.store.get(key) !== null;
  }

  flush(): void {
    if (this.#waiting.length === 0) return;
    // What goes wrong is thrown by sync(), which puts in what waits.
    this.store.batch(this.#waiting).catch(() => {});
    this.store.sync();
    this.#waiting = [];
    this.#keys.clear();
    this.#end = 0;
  }
}

/** Its beginning and its length; the value then begins with all of it. */
function cut(key: Uint8Array): Uint8Array {
  const beginning = key.subarray(0, KEY_BYTES_MAX - CUT_BYTES);
  return Buffer.concat([beginning, Buffer.from(`\0+${key.length}`)]);
}

function numbered(key: Uint8Array, number: number): Uint8Array {
  return Buffer.concat([key, Buffer.from(`\0#${number}`)]);
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
