/** The hardened write-ahead log: segments 000001.wal2, 000002.wal2, … See FORMAT.md. */
import { type Detection, type Finding, NOT_THIS, type Probe } from '../../format.ts';
import type { WalDialect, WalOpened } from '../model.ts';
import { decodeBlockHeader, decodeSegmentHeader } from './headers.ts';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  SEGMENT_HEADER_BYTES,
  SEGMENT_NAME,
  UNMADE_SEGMENT_MAX,
} from './layout.ts';
import { layoutV2 } from './layout-spans.ts';
import { v2Encoder } from './log-encoder.ts';
import { RECORD_BYTES_MIN } from './losses.ts';
import { MANIFEST_NAME, manifestOf, readManifest } from './manifest.ts';
import { v2Rewrite } from './rewrite.ts';
import { V2Scan } from './scan.ts';

export const v2: WalDialect = {
  id: 'v2',
  family: 'wal',
  lockFile: 'LOCK',
  title: 'hardened write-ahead log: 32 KiB blocks, chained CRC-32C, atomic batches',
  source: 'FORMAT.md',
  hasSeq: true,
  gapSeverity: 'error',
  firstSeq: 1,
  batches: 'batch-record',
  recordBytesMin: RECORD_BYTES_MIN,
  segmentsContinuous: true,
  unchecked: [
    'records cut off at a fragment’s end at the very end of the log, if it was not closed',
  ],
  segmentNumber(name) {
    const match = SEGMENT_NAME.exec(name);
    return match ? Number(match[1]) : undefined;
  },
  detect,
  scan: (source, context, visitor) => new V2Scan(source, context, visitor).run(),
  // A block's header has all that a scan needs.
  seek: async (_source, from) => Math.ceil(from / BLOCK_BYTES) * BLOCK_BYTES,
  layout: layoutV2,
  companions: [MANIFEST_NAME],
  firstSegment: (set) => manifestOf(set)?.firstSegment,
  reached(set) {
    const { reached, truncatedSeq = 0n } = manifestOf(set) ?? {};
    if (!reached) return undefined;
    // What was truncated away is in no segment.
    const seq = reached.seq > truncatedSeq ? reached.seq : 0n;
    return { file: MANIFEST_NAME, segment: reached.segment, seq };
  },
  verifySet,
  encoder: v2Encoder,
  rewrite: v2Rewrite,
};

function detect({ head, name }: Probe): Detection {
  const header = head.length >= SEGMENT_HEADER_BYTES ? decodeSegmentHeader(head) : undefined;
  if (header?.intact) {
    return {
      confidence: 'certain',
      reason: `the checksum of the header of segment ${header.segment} holds`,
    };
  }
  if (header) return { confidence: 'certain', reason: 'it begins with the magic DDIAWAL 2' };
  if (head.length >= SEGMENT_HEADER_BYTES + BLOCK_HEADER_BYTES) {
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    const magic = view.getUint32(SEGMENT_HEADER_BYTES + 28, true) === BLOCK_MAGIC;
    if (magic && decodeBlockHeader(head, view, SEGMENT_HEADER_BYTES).intact) {
      return { confidence: 'certain', reason: 'the checksum of its first block header holds' };
    }
  }
  if (SEGMENT_NAME.test(name))
    return { confidence: 'likely', reason: `named like a segment (${name})` };
  return NOT_THIS;
}

/**
 * The manifest against the segments that are there. A log without one is read by its segments
 * alone.
 */
async function verifySet(input: WalOpened): Promise<Finding[]> {
  const { set, files } = input;
  if (!set.isDirectory || !set.files.some(({ name }) => name === MANIFEST_NAME)) return [];
  const finding = (
    code: string,
    severity: Finding['severity'],
    file: string,
    message: string,
  ): Finding => ({
    code,
    severity,
    file,
    offset: 0,
    length: 0,
    message,
  });
  const manifest = readManifest(set);
  if (manifest === undefined) return [];
  if (typeof manifest === 'string') {
    return [finding('bad-manifest', 'error', MANIFEST_NAME, manifest)];
  }
  const findings: Finding[] = [];
  const numbers = files.map(({ name }) => v2.segmentNumber(name)!);
  const first = manifest.firstSegment;
  // Where the manifest says how far the log reaches, a scan tells what is missing at its end.
  const unmade = manifest.reached !== undefined || first <= UNMADE_SEGMENT_MAX;
  const gone = numbers.length > 0 ? Math.max(...numbers) > first : !unmade;
  if (!numbers.includes(first) && gone) {
    const message = `segment ${first} is missing: the manifest names it as the first`;
    findings.push(finding('segment-gap', 'error', MANIFEST_NAME, message));
  }
  for (const { name } of set.files) {
    if ((v2.segmentNumber(name) ?? first) >= first) continue;
    const message = `the log begins with segment ${first}: this one was truncated away`;
    findings.push({
      ...finding('leftover-file', 'warning', name, message),
      repair: 'remove the file',
    });
  }
  return findings;
}
