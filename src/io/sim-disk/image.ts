import { fillRandom } from '../../shared/random.ts';
import { type Content, SECTOR_BYTES } from './content.ts';
import { Digest } from './digest.ts';
import type { DirectoryImage, FileImage, NodeImage } from './nodes.ts';
import {
  applyToDirectory,
  applyToFile,
  type EntryOperation,
  type Fate,
  type FileOperation,
  type PendingOperation,
} from './operations.ts';

/** A whole disk at one moment: what calls see, what is durable, and what waits between the two. */
export interface DiskImage {
  readonly root: number;
  /** Those that have a name, or may have one after a crash. */
  readonly nodes: ReadonlyMap<number, NodeImage>;
  readonly nextNode: number;
  readonly nextSequence: number;
  /** How often the machine has been started: 0 before the first crash. */
  readonly boot: number;
}

/** What a crash does to each pending operation of an image, in the order of `pendingOperations`. */
export interface CrashChoice {
  readonly fates: readonly Fate[];
  /** What the sectors show that a file gained and that were never written. */
  readonly fill: 'zeros' | 'garbage';
  /** Of the garbage. */
  readonly seed: number;
}

const pendingOf = new WeakMap<DiskImage, readonly PendingOperation[]>();

/** All of them, in the order in which they were issued. */
export function pendingOperations(image: DiskImage): readonly PendingOperation[] {
  const known = pendingOf.get(image);
  if (known !== undefined) return known;
  const all: PendingOperation[] = [];
  for (const node of image.nodes.values()) {
    for (let at = 0; at < node.pendingCount; at++) all.push(node.pending[at]!);
  }
  all.sort((a, b) => a.sequence - b.sequence || a.node - b.node);
  pendingOf.set(image, all);
  return all;
}

/** The disk as the next start of the machine finds it. */
export function powerLoss(image: DiskImage, choice: CrashChoice): DiskImage {
  const fates = new Map<PendingOperation, Fate>();
  for (const [index, operation] of pendingOperations(image).entries()) {
    fates.set(operation, choice.fates[index] ?? 'dropped');
  }
  return restarted(image, (node) => {
    if (node.kind === 'file') return crashFile(node, fates, choice);
    const entries = new Map(node.durable);
    for (const operation of issued<EntryOperation>(node)) {
      if (fates.get(operation) === 'kept') applyToDirectory(entries, operation);
    }
    return settledDirectory(node, entries);
  });
}

/** The disk after an orderly shutdown: as `powerLoss` with all kept. */
export function cleanRestart(image: DiskImage): DiskImage {
  const fates = pendingOperations(image).map((): Fate => 'kept');
  return powerLoss(image, { fates, fill: 'zeros', seed: 0 });
}

/** The same for equal trees of names and bytes, as calls see them. */
export function fingerprint(image: DiskImage): string {
  const hash = new Digest();
  const visit = (node: NodeImage): void => {
    if (node.kind === 'file') {
      const { low, high } = node.live.digest();
      hash.word(low).word(high).word(node.unreadable.size);
      for (const sector of [...node.unreadable].sort((a, b) => a - b)) hash.integer(sector);
      return;
    }
    hash.integer(node.live.size);
    for (const name of [...node.live.keys()].sort()) {
      const child = image.nodes.get(node.live.get(name)!);
      if (child === undefined) continue;
      hash.text(name).text(child.kind);
      visit(child);
    }
  };
  visit(image.nodes.get(image.root)!);
  return hash.finish().toString();
}

function issued<Operation>(node: {
  readonly pending: readonly Operation[];
  readonly pendingCount: number;
}): readonly Operation[] {
  return node.pending.slice(0, node.pendingCount);
}

function crashFile(
  node: FileImage,
  fates: ReadonlyMap<PendingOperation, Fate>,
  choice: CrashChoice,
): FileImage {
  if (node.pendingCount === 0) return settledFile(node, node.durable);
  const content = node.durable.fork();
  const holes = new Set<number>();
  for (const operation of issued<FileOperation>(node)) {
    applyToFile(content, operation, fates.get(operation) ?? 'dropped', holes);
  }
  if (choice.fill === 'garbage') fillWithGarbage(content, holes, choice.seed, node.id);
  return settledFile(node, content);
}

/** What the sectors held before: another file's bytes, as far as this one can tell. */
function fillWithGarbage(content: Content, holes: Set<number>, seed: number, node: number): void {
  const garbage = new Uint8Array(SECTOR_BYTES);
  for (const sector of holes) {
    const position = sector * SECTOR_BYTES;
    fillRandom(seed ^ Math.imul(node, 0x9e3779b1), position, garbage, 0, SECTOR_BYTES);
    content.write(garbage, 0, Math.min(SECTOR_BYTES, content.size - position), position);
  }
}

function settledFile(node: FileImage, content: Content): FileImage {
  if (node.pendingCount === 0 && node.live === content) return node;
  return { ...node, live: content, durable: content, pending: [], pendingCount: 0 };
}

function settledDirectory(
  node: DirectoryImage,
  entries: ReadonlyMap<string, number>,
): DirectoryImage {
  return { ...node, live: entries, durable: entries, pending: [], pendingCount: 0 };
}

/**
 * The nodes that can be reached from the root, each as `settle` says. A directory that a half-done
 * move left in two places stays in the first, as a file-system check would have it; so the tree has
 * no cycle.
 */
function restarted(image: DiskImage, settle: (node: NodeImage) => NodeImage): DiskImage {
  const nodes = new Map<number, NodeImage>();
  const visit = (id: number): void => {
    const node = settle(image.nodes.get(id)!);
    nodes.set(id, node);
    if (node.kind === 'file') return;
    const entries = node.live as Map<string, number>;
    for (const [name, child] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!nodes.has(child)) visit(child);
      else if (nodes.get(child)?.kind === 'directory') entries.delete(name);
    }
  };
  visit(image.root);
  return { ...image, nodes, boot: image.boot + 1 };
}
