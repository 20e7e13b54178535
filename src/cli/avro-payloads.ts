/** Payloads of an input: all of it, one a line, or one behind the other with their lengths. */
import { Window } from '../formats/bytes/window.ts';
import type { ScanContext } from '../formats/format.ts';
import { openFileSet } from '../io/file-set.ts';
import { openForReading, readLines } from '../io/lines.ts';
import { DdiaError } from '../shared/errors.ts';
import { isBase64, isHex } from '../shared/packed-text.ts';
import type { Packing } from './avro-encode.ts';

const LENGTH_BYTES = 4;

export type OnPayload = (payload: Uint8Array, number: number) => void | Promise<void>;

/** Calls `visit` with each payload and its number from 1; its bytes are its own. */
export async function readPayloads(
  path: string,
  packing: Packing,
  context: ScanContext,
  visit: OnPayload,
): Promise<void> {
  if (packing === 'hex' || packing === 'base64') {
    return readTextPayloads(path, packing, context, visit);
  }
  const set = openFileSet(path);
  const file = set.files[0];
  if (!file || set.isDirectory) throw new DdiaError('not-a-file', `${path} is no file`);
  const source = set.open(file.name);
  try {
    const window = new Window(source, context);
    const most = context.limits.recordBytes;
    if (packing === 'binary') {
      await window.fill(0, most + 1);
      if (window.count > most) throw tooLong(path, window.count, most);
      await visit(window.bytes.slice(0, window.count), 1);
      return;
    }
    let at = 0;
    for (let number = 1; ; number++) {
      await window.fill(at, LENGTH_BYTES);
      if (window.end <= at) return;
      const cut = window.end - at < LENGTH_BYTES;
      const length = cut ? 0 : window.view.getUint32(at - window.base);
      if (length > most) throw tooLong(`${path} @ ${at}`, length, most);
      await window.fill(at, LENGTH_BYTES + length);
      const start = at - window.base + LENGTH_BYTES;
      if (cut || window.end < at + LENGTH_BYTES + length) {
        const message = `${path} @ ${at}: ${window.end - at} bytes are left of payload ${number}`;
        throw new DdiaError('truncated-input', `${message} of ${length}`);
      }
      await visit(window.bytes.slice(start, start + length), number);
      at += LENGTH_BYTES + length;
    }
  } finally {
    source.close?.();
  }
}

function tooLong(where: string, length: number, most: number): DdiaError {
  const message = `${where}: a payload of ${length} bytes or more; the limit is ${most}`;
  return new DdiaError('payload-too-long', message, '--max-record-bytes raises it');
}

async function readTextPayloads(
  path: string,
  packing: 'hex' | 'base64',
  context: ScanContext,
  visit: OnPayload,
): Promise<void> {
  const lines = openForReading(path);
  const fits = packing === 'hex' ? isHex : isBase64;
  // A schema may have to be fetched first, so what a read brought is kept and then worked off.
  let waiting: { payload: Uint8Array; number: number }[] = [];
  try {
    await readLines(
      lines.fd,
      (line, number) => {
        const text = line.toString('latin1').trim();
        if (text === '') return;
        if (!fits(text)) throw new DdiaError('bad-line', `line ${number}: no ${packing}`);
        waiting.push({ payload: Buffer.from(text, packing), number });
      },
      context.signal,
      async () => {
        for (const { payload, number } of waiting) await visit(payload, number);
        waiting = [];
      },
    );
  } finally {
    lines.close();
  }
}
