/** avro cat: the data of containers as lines of JSON, as they are read. */
import { JsonOut } from '../formats/avro/codec/json-out.ts';
import type { ModeOptions } from '../formats/avro/codec/mode.ts';
import { BlockData } from '../formats/avro/ocf/block-data.ts';
import { printingReader } from '../formats/avro/ocf/readers.ts';
import { scanContainer } from '../formats/avro/ocf/scan.ts';
import { findingOf } from '../formats/avro/ocf/verify.ts';
import type { AvroType } from '../formats/avro/schema/model.ts';
import { Findings, type Verdict } from '../formats/findings.ts';
import type { Finding, Opened, ScanContext } from '../formats/format.ts';
import type { Output } from '../ui/output.ts';
import { refuseImpossible } from './avro-resolve.ts';

/** Lines are handed on when so many bytes of them have come together. */
const HAND_ON_BYTES = 48 * 1024;

export interface CatOptions {
  mode: ModeOptions;
  reader: AvroType | undefined;
  skip: number;
  limit: number;
}

export async function catContainers(
  input: Opened,
  options: CatOptions,
  context: ScanContext,
  out: Output,
  onDamage: (finding: Finding) => void,
): Promise<Verdict> {
  const findings = new Findings(0);
  const json = new JsonOut();
  let { skip } = options;
  let left = options.limit;
  const handOn = () => {
    out.raw(json.bytes, 0, json.at);
    json.at = 0;
  };
  const damaged = (finding: Finding) => {
    findings.add(finding);
    handOn();
    onDamage(finding);
  };
  /** Behind each datum, only where some are left out. */
  const counted = (): boolean => {
    if (skip > 0) {
      skip--;
      json.at = 0;
    } else left--;
    if (json.at > HAND_ON_BYTES) handOn();
    return left > 0;
  };
  const handOnLong = (): boolean => {
    if (json.at > HAND_ON_BYTES) handOn();
    return true;
  };
  for (const file of input.files) {
    if (left <= 0) break;
    const source = input.set.open(file.name);
    let data: BlockData | undefined;
    let reader: ReturnType<typeof printingReader> | undefined;
    const idle = () => {
      handOn();
      out.flush();
    };
    try {
      await scanContainer(
        source,
        { ...context, idle },
        {
          async header(header) {
            data = await BlockData.open(header, file.name, context.limits.recordBytes);
            if (!data) return;
            if (options.reader) refuseImpossible(data.type, options.reader);
            reader = printingReader(json, data.type, options.reader, options.mode);
          },
          block(block) {
            if (!data || !reader) return;
            const narrowed = skip > 0 || left !== Number.POSITIVE_INFINITY;
            if (skip > 0) handOn();
            const each = narrowed ? counted : handOnLong;
            for (const finding of data.read(block, reader, each).findings) damaged(finding);
          },
          damage: (damage) => damaged(findingOf(damage)),
          done: () => left <= 0,
        },
      );
    } finally {
      source.close?.();
    }
    handOn();
  }
  out.flush();
  return findings.verdict;
}
