import { type Content, SECTOR_BYTES } from './content.ts';

/**
 * What has been asked of the disk and not been synced: a crash may keep it, lose it, or keep a part
 * of it.
 *
 * A write holds its sectors whole, as they were in the cache once it was done. So when a crash
 * keeps it and loses an earlier write to the same sector, that sector still has both: a cache
 * writes sectors back as they are, and never one write's share of them.
 */
interface Issued {
  /** Place in the order in which operations were issued; the two halves of a move have the same. */
  readonly sequence: number;
  /** The file or directory that it waits in. */
  readonly node: number;
  /** What `node` was called at the time. */
  readonly path: string;
}

export interface WriteOperation extends Issued {
  readonly kind: 'write';
  readonly position: number;
  readonly length: number;
  /** `position` rounded down to a sector, and the sectors from there on. */
  readonly start: number;
  readonly sectors: Uint8Array;
  /** A disk that lies: the sectors go nowhere, or elsewhere, although a sync succeeds. */
  readonly misfortune: 'lost' | { readonly misdirectedTo: number } | undefined;
}

export interface TruncateOperation extends Issued {
  readonly kind: 'truncate';
  readonly size: number;
}

/** A name for `child`: a file created, a directory made, or the first half of a move. */
export interface LinkOperation extends Issued {
  readonly kind: 'link';
  readonly name: string;
  readonly child: number;
}

export interface UnlinkOperation extends Issued {
  readonly kind: 'unlink';
  readonly name: string;
  readonly child: number;
}

/** Within one directory, where it is one step. */
export interface RenameOperation extends Issued {
  readonly kind: 'rename';
  readonly name: string;
  readonly to: string;
  readonly child: number;
}

export type FileOperation = WriteOperation | TruncateOperation;
export type EntryOperation = LinkOperation | UnlinkOperation | RenameOperation;
export type PendingOperation = FileOperation | EntryOperation;

/** A write of which a crash kept some sectors. */
export interface TornWrite {
  /** For each of the write's sectors, in order, whether it was kept. */
  readonly kept: readonly boolean[];
  /** The file is at least this long afterwards: an extension can be there without its data. */
  readonly reach: number;
}

export type Fate = 'kept' | 'dropped' | TornWrite;

export function sectorCount(write: WriteOperation): number {
  return write.sectors.length / SECTOR_BYTES;
}

/**
 * Does to `content` what is left of `operation`. Sectors that a longer file ought to have and has
 * not are added to `holes` by number; what they show is for the caller to say.
 */
export function applyToFile(
  content: Content,
  operation: FileOperation,
  fate: Fate = 'kept',
  holes: Set<number> = new Set(),
): void {
  if (operation.kind === 'truncate') {
    if (fate !== 'kept') return;
    content.resize(operation.size);
    for (const sector of holes) {
      if (sector * SECTOR_BYTES >= operation.size) holes.delete(sector);
    }
    return;
  }
  const sizeBefore = content.size;
  const reach = reachOf(operation, fate);
  if (reach > content.size) content.resize(reach);
  if (fate === 'kept' && holes.size === 0 && operation.misfortune === undefined) {
    writeSectors(content, operation, 0, sectorCount(operation), operation.start);
    return;
  }
  const first = operation.start / SECTOR_BYTES;
  for (let index = 0; index < sectorCount(operation); index++) {
    const kept = fate === 'kept' || (fate !== 'dropped' && fate.kept[index] === true);
    if (kept && operation.misfortune !== 'lost') {
      const start = operation.misfortune?.misdirectedTo ?? operation.start;
      writeSectors(content, operation, index, 1, start + index * SECTOR_BYTES);
      holes.delete(start / SECTOR_BYTES + index);
    } else if ((first + index) * SECTOR_BYTES >= sizeBefore) {
      holes.add(first + index);
    }
  }
}

function reachOf(write: WriteOperation, fate: Fate): number {
  if (fate === 'kept') return write.position + write.length;
  return fate === 'dropped' ? 0 : fate.reach;
}

/** Sectors never lengthen a file: that is what `reach` is for. */
function writeSectors(
  content: Content,
  write: WriteOperation,
  index: number,
  count: number,
  position: number,
): void {
  const length = Math.min(count * SECTOR_BYTES, content.size - position);
  content.write(write.sectors, index * SECTOR_BYTES, length, position);
}

/** Names that are to go go only while they still mean the same file. */
export function applyToDirectory(entries: Map<string, number>, operation: EntryOperation): void {
  if (operation.kind !== 'link' && entries.get(operation.name) === operation.child) {
    entries.delete(operation.name);
  }
  if (operation.kind === 'link') entries.set(operation.name, operation.child);
  if (operation.kind === 'rename') entries.set(operation.to, operation.child);
}

/** For people: `write /data/log [0, 512)`. */
export function describePending(operation: PendingOperation): string {
  const { kind, path } = operation;
  if (kind === 'write') {
    return `write ${path} [${operation.position}, ${operation.position + operation.length})`;
  }
  if (kind === 'truncate') return `truncate ${path} to ${operation.size}`;
  if (kind === 'rename') return `rename in ${path}: ${operation.name} to ${operation.to}`;
  return `${kind} in ${path}: ${operation.name}`;
}
