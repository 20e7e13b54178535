/** Carries out the repair of a container: copies what is kept, and writes blocks anew. */

import type { BlockCodec } from '../../../shared/codecs/block-codec.ts';
import type {
  ByteSource,
  LedgerSpan,
  Opened,
  RepairOutput,
  RepairPlan,
  ScanContext,
} from '../../format.ts';
import { Writer } from '../codec/writer.ts';
import { BlockData, type DatumReader } from './block-data.ts';
import { loadCodec } from './codecs.ts';
import { checkingReader } from './readers.ts';
import { Block, type Damage, scanContainer } from './scan.ts';

const COPY_BYTES = 1024 * 1024;

/** As much of a block as there is, read from the file. */
export async function tornBlock(source: ByteSource, damage: Damage): Promise<Block> {
  const { dataOffset, count } = damage.begun!;
  const length = damage.offset + damage.length - dataOffset;
  const block = new Block();
  block.bytes = await readSpan(source, dataOffset, length);
  block.end = block.bytes.length;
  block.offset = damage.offset;
  block.dataOffset = dataOffset;
  block.count = count;
  block.cut = true;
  return block;
}

async function readSpan(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const got = await source.read(bytes, done, length - done, offset + done);
    if (got <= 0) throw new Error(`${source.name} ended at ${offset + done} while it was copied`);
    done += got;
  }
  return bytes;
}

export async function applyContainerRepair(
  input: Opened,
  plan: RepairPlan,
  context: ScanContext,
  output: RepairOutput,
): Promise<void> {
  for (const file of input.files) {
    const spans = plan.ledger.filter((span) => span.file === file.name);
    const source = input.set.open(file.name);
    try {
      const target = output.create(file.name);
      const write = (bytes: Uint8Array) => target.write(bytes, 0, bytes.length);
      const anew = spans.filter((span) => span.fate === 'salvaged' && !span.mends);
      const blocks = await rewrittenBlocks(input, source, anew, context);
      for (const span of spans) {
        if (span.fate === 'dropped') continue;
        const block = blocks.get(span.offset);
        if (block) write(block);
        else await copy(source, span, context, write);
      }
      target.finish();
    } finally {
      source.close?.();
    }
  }
}

/** The blocks of which a part is kept, as they are written anew, by their offset. */
async function rewrittenBlocks(
  input: Opened,
  source: ByteSource,
  spans: readonly LedgerSpan[],
  context: ScanContext,
): Promise<Map<number, Uint8Array>> {
  const made = new Map<number, Uint8Array>();
  if (spans.length === 0) return made;
  const wanted = new Map(spans.map((span) => [span.offset, span.records]));
  /** The same in ascending order, as the blocks come. */
  const offsets = [...wanted.keys()];
  let next = 0;
  let data: BlockData | undefined;
  let codec: BlockCodec | undefined;
  let reader: DatumReader | undefined;
  let marker = Buffer.alloc(0) as Buffer;
  let torn: Damage | undefined;
  const put = (offset: number, records: number, parts: readonly Uint8Array[]): void => {
    if (wanted.get(offset) !== records) return;
    const packed = codec!.compress(Buffer.concat(parts));
    const writer = new Writer();
    writer.long(records);
    writer.long(packed.length);
    writer.raw(packed);
    writer.raw(marker);
    made.set(offset, writer.written);
  };
  const remake = (block: Block): void => {
    while (next < offsets.length && offsets[next]! < block.offset) next++;
    const touched = next < offsets.length && offsets[next]! < block.offset + block.length;
    if (!data || !reader || !(touched || block.cut)) return;
    const { runs, read, data: unpacked } = data.read(block, reader);
    if (data.plain) {
      // The first run goes with the block's own front, the others stand where they were found.
      for (const { start, end, records } of runs) {
        const offset = start === 0 ? block.offset : block.dataOffset + start;
        put(offset, records, [unpacked.subarray(start, end)]);
      }
    } else {
      const parts = runs.map(({ start, end }) => unpacked.subarray(start, end));
      put(block.offset, read, parts);
    }
  };
  await scanContainer(source, context, {
    async header(header) {
      data = BlockData.open(header, input.files[0]!.name, context.limits.recordBytes);
      if (data) codec = await loadCodec(header.codec!);
      reader = data && checkingReader(data.type);
      marker = header.marker;
    },
    block: remake,
    damage(damage) {
      if (damage.begun) torn = damage;
    },
  });
  if (torn) remake(await tornBlock(source, torn));
  if (made.size < wanted.size)
    throw new Error(`${source.name} reads otherwise than it was planned`);
  return made;
}

async function copy(
  source: ByteSource,
  { offset, length, mends = [] }: LedgerSpan,
  context: ScanContext,
  write: (bytes: Uint8Array) => void,
): Promise<void> {
  for (let done = 0; done < length; ) {
    context.signal?.throwIfAborted();
    const part = Math.min(COPY_BYTES, length - done);
    const bytes = await readSpan(source, offset + done, part);
    for (const mend of mends) {
      const patch = Buffer.from(mend.hex, 'hex');
      for (const [i, byte] of patch.entries()) {
        const at = mend.offset + i - offset - done;
        if (at >= 0 && at < part) bytes[at] = byte;
      }
    }
    write(bytes);
    done += part;
  }
}
