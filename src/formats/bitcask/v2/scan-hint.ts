/** Reads a hint file block by block, up to the first one that does not hold. */
import { Window } from '../../bytes/window.ts';
import type { ByteSource } from '../../format.ts';
import { type BitcaskScanContext, HintEntry, type HintVisitor } from '../model.ts';
import { type HintHeader, storeIdText } from './headers.ts';
import { blockProblem, HintPlace, hintEndProblem, readHintHeader, visitBlock } from './hint.ts';
import {
  BLOCK_BYTES_MAX,
  BLOCK_HEAD_BYTES,
  dataFile,
  dataName,
  HEADER_BYTES,
  hintFile,
} from './layout.ts';
import { carried } from './store-files.ts';

const REPAIR = 'write the hint file anew from its data file: no data is lost';

export async function scanHint(
  source: ByteSource,
  context: BitcaskScanContext,
  visitor: HintVisitor,
): Promise<void> {
  const window = new Window(source, context);
  await window.fill(0, HEADER_BYTES);
  const finding = { severity: 'error' as const, file: source.name, repair: REPAIR };
  const corrupt = (offset: number, message: string): void => {
    const length = Math.max(0, (source.size ?? window.end) - offset);
    visitor.damage({ ...finding, code: 'hint-corrupt', offset, length, message });
  };
  const header = readHintHeader(window.bytes.subarray(0, window.count), source.size);
  if (typeof header === 'string') {
    corrupt(0, header);
    return;
  }
  const stranger = strange(source.name, header, context);
  if (stranger) {
    const { code, message } = stranger;
    visitor.damage({ ...finding, code, offset: 0, length: HEADER_BYTES, message });
    return;
  }
  const teller = new EntryTeller(window, header, visitor);
  let at = HEADER_BYTES;
  for (let index = 0; index < header.blocks; index++) {
    const problem = await readBlock(window, at, header, index);
    if (problem !== undefined) {
      corrupt(at, problem);
      return;
    }
    at = teller.block(at);
    if (teller.stopped) return;
  }
  await window.fill(at, 1);
  const problem =
    hintEndProblem(header, at, teller.entries) ??
    (window.end > at ? `more bytes than the ${header.hintBytes} that its header says` : undefined);
  if (problem !== undefined) corrupt(at, problem);
}

/** Brings the block at `at` into the window; in words why it cannot be used. */
export async function readBlock(
  window: Window,
  at: number,
  header: HintHeader,
  index: number,
): Promise<string | undefined> {
  await window.fill(at, BLOCK_HEAD_BYTES);
  if (window.end >= at + BLOCK_HEAD_BYTES) {
    const length = window.view.getUint32(at - window.base + 4, true);
    const most = BLOCK_BYTES_MAX + window.context.limits.recordBytes;
    if (length > most) return `a block of ${length} bytes, the limit is ${most}`;
    await window.fill(at, length);
  }
  const { bytes, view, base, end } = window;
  return blockProblem(bytes, view, at - base, end - at, header, index);
}

/** Why an intact hint file is not what belongs here. */
function strange(
  name: string,
  header: HintHeader,
  context: BitcaskScanContext,
): { code: string; message: string } | undefined {
  const number = hintFile(name);
  if (number !== undefined && number !== header.file) {
    const message = `the header says data file ${header.file}, the name ${number}`;
    return { code: 'misplaced-file', message };
  }
  const { manifest } = carried(context);
  if (manifest && manifest.storeId !== header.storeId) {
    const [one, other] = [storeIdText(header.storeId), storeIdText(manifest.storeId)];
    return { code: 'foreign-file', message: `of store ${one}, the manifest is of store ${other}` };
  }
  const data = context.set.siblings.find((file) => dataFile(file.name) === header.file);
  if (data?.size !== undefined && data.size !== header.dataBytes) {
    const message =
      `made when ${dataName(header.file)} had ${header.dataBytes} bytes, ` + `it has ${data.size}`;
    return { code: 'hint-mismatch', message };
  }
  return undefined;
}

class EntryTeller {
  entries = 0;
  stopped = false;
  readonly #entry = new HintEntry();
  readonly #place = new HintPlace();

  constructor(
    readonly window: Window,
    header: HintHeader,
    readonly visitor: HintVisitor,
  ) {
    this.#entry.file = window.source.name;
    this.#entry.dataFile = header.file;
  }

  /** The block at file offset `at`, which is in the window. Returns where it ends. */
  block(at: number): number {
    const { bytes, view, base } = this.window;
    this.#entry.bytes = bytes;
    return base + visitBlock(bytes, view, at - base, this.#place, (place) => this.#tell(place));
  }

  #tell(place: HintPlace): void {
    if (this.stopped) return;
    this.entries++;
    const entry = this.#entry;
    entry.offset = this.window.base + place.start;
    entry.length = place.keyEnd - place.start;
    entry.position = place.position;
    entry.size = place.length;
    entry.seq = place.seq;
    entry.expires = place.expires;
    entry.deleted = place.deleted;
    entry.keyStart = place.keyStart;
    entry.keyEnd = place.keyEnd;
    this.visitor.entry(entry);
    if (this.visitor.done?.()) this.stopped = true;
  }
}
