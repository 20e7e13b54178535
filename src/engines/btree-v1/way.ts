/**
 * The way from the root to a leaf. No checksum tells that a page of this layout is not the one that
 * belongs there, but its place does: its keys lie between the separators that lead to it. That is
 * looked at when a way leads to it, before anything is read or changed. So a separator that goes up
 * from a page lies where it is put, every page stays in order, and no way leads to one page of keys
 * from two sides: a scan ends, and what is put is found again.
 */
import { compareKeys } from '../../formats/wal/btree-v1/page.ts';
import type { Frame } from './frame.ts';
import type { Pager } from './pager.ts';

/** A separator: the key of a cell. */
interface Cell {
  page: Frame;
  i: number;
}

export class Way {
  /** From the root; the leaf is the last. */
  readonly path: Frame[] = [];
  /** Which child of each internal page it goes to. */
  readonly index: number[] = [];

  /**
   * Goes to the leaf that the key is under, or with `before` to that of the keys right below it;
   * without a key to the first leaf, or the last one. Throws `corrupt`.
   */
  down(pager: Pager, key: Uint8Array | undefined, before = false): Frame {
    const { path, index } = this;
    const { root, height } = pager.meta;
    path.length = 0;
    index.length = 0;
    let frame = pager.get(root, height === 1);
    path.push(frame);
    for (let depth = 0; depth < height - 1; depth++) {
      const i = before ? frame.childBefore(key) : frame.childFor(key);
      frame = this.child(pager, depth, i);
      index.push(i);
      path.push(frame);
    }
    return frame;
  }

  /** A child of the page at this depth, whichever the way goes to. */
  child(pager: Pager, depth: number, i: number): Frame {
    const parent = this.path[depth]!;
    const frame = pager.get(parent.child(i), depth + 2 === pager.meta.height);
    // Once is enough as long as the parent stays as it is; one without keys may be in two places.
    const known = frame.parentState === parent.state && frame.place === i && parent.count > 0;
    if (known || frame.count === 0) return frame;
    this.#check(pager, frame, depth, i);
    frame.parentState = parent.state;
    frame.place = i;
    return frame;
  }

  #check(pager: Pager, frame: Frame, depth: number, i: number): void {
    const parent = this.path[depth]!;
    const low = i > 0 ? { page: parent, i: i - 1 } : this.#low(depth);
    const high = i < parent.count ? { page: parent, i } : this.#high(depth);
    const inside =
      (!low || compare(frame, 0, low) >= 0) && (!high || compare(frame, frame.count - 1, high) < 0);
    if (inside) return;
    throw pager.corrupt(frame.page, 'it has keys outside the separators that lead to it');
  }

  /** The separator that no key of the page at this depth is below. */
  #low(depth: number): Cell | undefined {
    for (let d = depth - 1; d >= 0; d--) {
      if (this.index[d]! > 0) return { page: this.path[d]!, i: this.index[d]! - 1 };
    }
    return undefined;
  }

  /** The separator that all keys of the page at this depth are below. */
  #high(depth: number): Cell | undefined {
    for (let d = depth - 1; d >= 0; d--) {
      const page = this.path[d]!;
      if (this.index[d]! < page.count) return { page, i: this.index[d]! };
    }
    return undefined;
  }

  /** Where the keys of the leaf begin, or with `before` false where they end. A copy. */
  edge(before: boolean): Buffer | undefined {
    const leaf = this.path.length - 1;
    const cell = before ? this.#low(leaf) : this.#high(leaf);
    return cell?.page.key(cell.i);
  }
}

function compare(frame: Frame, i: number, { page, i: at }: Cell): number {
  const { bytes } = page;
  const from = frame.keyStart(i);
  return compareKeys(frame.bytes, from, frame.keyEnd(i), bytes, page.keyStart(at), page.keyEnd(at));
}
