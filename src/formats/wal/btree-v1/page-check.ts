/**
 * Is an entry's page number right? It lies outside the checksum, and an image that is applied to
 * the wrong page destroys that page. Evidence: what the image itself says, how many pages there
 * are, and what the tree holds at that number and at those that differ from it by one bit.
 */
import { bytesValue } from '../../bytes/value.ts';
import { TREE_NAME } from './layout.ts';
import { compareKeys, NO_PAGE, PageView } from './page.ts';
import type { TreeFile } from './tree-file.ts';

export interface Doubt {
  /** Why the number is wrong, or may be. */
  reason: string;
  /**
   * `proven`: the number is wrong. Otherwise it is enough only together with the one right number,
   * whose page must fit the image, or for `unused` hold this very image: a page that is not in use
   * may just be new.
   */
  strength: 'proven' | 'contradicted' | 'unused';
}

/** The number that fits, and which bit makes the difference. */
export interface Guess {
  page: number;
  bit: number;
  why: string;
}

const KEY_SHOWN_BYTES_MAX = 64;

export class PageCheck {
  readonly image = new PageView();
  /** By the newest metadata that was seen: first page number never used. */
  #nextFree = 0;
  /** The log begins with an image of page 0; undefined: nothing was seen of it yet. */
  #marked: boolean | undefined;

  constructor(
    readonly tree: TreeFile,
    /** How many entries the log can hold, each of which may add a page. */
    readonly entriesMax: (pageSize: number) => number,
  ) {}

  /** The tree's own metadata. */
  async begin(pageSize: number): Promise<void> {
    const { tree } = this;
    if (!(await tree.load(0, pageSize)) || tree.view.kind !== 'metadata') return;
    this.#nextFree = Math.max(this.#nextFree, tree.view.nextFree);
  }

  /**
   * What speaks against `page` as the place of the image that is `bytes[start, start + size)`.
   * `loaded` says that the tree's page of that number is loaded.
   */
  doubt(
    bytes: Uint8Array,
    view: DataView,
    start: number,
    size: number,
    page: number,
    loaded: boolean,
  ): Doubt | undefined {
    const { image } = this;
    image.look(bytes, view, start, size);
    const reason = this.#ownWord(view, page) ?? this.#beyondEnd(size, page);
    if (reason) return { reason, strength: 'proven' };
    if (image.kind === 'metadata') this.#nextFree = image.nextFree;
    this.#marked ??= page === 0;
    // A log of whole operations runs far ahead of the tree: pages are freed, used anew, merged into
    // their neighbours, and what the tree has there is no evidence.
    if (this.#marked) return undefined;
    return this.tree.isThere ? this.#contradiction(page, loaded) : undefined;
  }

  /**
   * The page that differs by one bit in its number and fits the image that was looked at; if there
   * is one.
   */
  async guess(page: number, size: number, strength: Doubt['strength']): Promise<Guess | undefined> {
    const { tree } = this;
    let best: Guess | undefined;
    let ambiguous = false;
    let identical = false;
    for (let bit = 0; bit < 32; bit++) {
      const other = (page ^ (1 << bit)) >>> 0;
      if (!(await tree.load(other, size))) continue;
      const same = this.#isSame();
      if (!same && (identical || strength === 'unused' || !this.#fits(strength))) continue;
      ambiguous = best !== undefined && same === identical;
      identical = same;
      best = { page: other, bit, why: this.#why(other, same) };
    }
    return ambiguous ? undefined : best;
  }

  /** What the image itself says against the number. */
  #ownWord(view: DataView, page: number): string | undefined {
    const { image } = this;
    const { kind, link } = image;
    if (page === 0) {
      if (kind === 'metadata') return undefined;
      const what = kind === 'unknown' ? 'does not read as metadata' : `is a ${kind} page`;
      return `page 0 holds the metadata, the image ${what}`;
    }
    if (page === NO_PAGE) return `page ${page} is how the layout says that there is no page`;
    if (kind === 'metadata') {
      return `the image is metadata, which is page 0, not page ${page}`;
    }
    if (kind === 'leaf' && link === page)
      return `the leaf names page ${page} as its own next sibling`;
    if (kind === 'internal' && image.hasChild(view, page)) {
      return `the internal page names page ${page}, itself, as its child`;
    }
    if (kind === 'free' && link === page)
      return `the free page names page ${page}, itself, as the next`;
    return undefined;
  }

  #beyondEnd(size: number, page: number): string | undefined {
    const pages = Math.max(this.tree.pages(size), this.#nextFree);
    if (pages === 0 || page < pages) return undefined;
    const added = this.entriesMax(size);
    if (page < pages + added) return undefined;
    return `page ${page} of a tree of ${pages} pages, to which this log can add ${added}`;
  }

  /** The tree holds something else at that number, so that a better place is worth a look. */
  #contradiction(page: number, loaded: boolean): Doubt | undefined {
    const { image, tree } = this;
    if (image.firstStart < 0) return undefined; // without keys nothing can be told
    const { view } = tree;
    if (!loaded || view.firstStart < 0) {
      return { reason: `page ${page} of ${TREE_NAME} is not in use`, strength: 'unused' };
    }
    if (view.kind === image.kind && this.#overlaps()) return undefined;
    const kinds = view.kind === image.kind ? '' : `is a page of kind ${view.kind} and `;
    const reason =
      `page ${page} of ${TREE_NAME} ${kinds}holds keys from ${keyText(view, true)} to ` +
      `${keyText(view, false)}, the image is a ${image.kind} with keys from ` +
      `${keyText(image, true)} to ${keyText(image, false)}`;
    return { reason, strength: 'contradicted' };
  }

  /** The image's keys and those of the loaded page are not all on one side of each other. */
  #overlaps(): boolean {
    const { image: a } = this;
    const b = this.tree.view;
    return (
      compareKeys(a.bytes, a.firstStart, a.firstEnd, b.bytes, b.lastStart, b.lastEnd) <= 0 &&
      compareKeys(b.bytes, b.firstStart, b.firstEnd, a.bytes, a.lastStart, a.lastEnd) <= 0
    );
  }

  #isSame(): boolean {
    const { image } = this;
    if (image.kind === 'unknown' || (image.count === 0 && image.kind !== 'metadata')) return false;
    const page = this.tree.bytes;
    for (let i = 0; i < image.size; i++) {
      if (page[i] !== image.bytes[image.start + i]) return false;
    }
    return true;
  }

  /**
   * The image may be a newer state of the loaded page: of the same kind, with the same first key or
   * one that the image begins before. (A page split off it begins later.) Metadata may change in
   * all of its fields.
   */
  #fits(strength: Doubt['strength']): boolean {
    const { image: a } = this;
    const b = this.tree.view;
    if (a.kind !== b.kind) return false;
    if (a.kind === 'metadata') return strength === 'proven';
    if (a.firstStart < 0 || b.firstStart < 0) return false;
    return (
      compareKeys(a.bytes, a.firstStart, a.firstEnd, b.bytes, b.firstStart, b.firstEnd) <= 0 &&
      compareKeys(b.bytes, b.firstStart, b.firstEnd, a.bytes, a.lastStart, a.lastEnd) <= 0
    );
  }

  #why(page: number, same: boolean): string {
    if (same) return `page ${page} of ${TREE_NAME} holds this very image`;
    const { view } = this.tree;
    if (view.kind === 'metadata') return `page ${page} of ${TREE_NAME} holds the metadata`;
    const range = `${keyText(view, true)} to ${keyText(view, false)}`;
    return `page ${page} of ${TREE_NAME} is a ${view.kind} with keys from ${range}`;
  }
}

function keyText(view: PageView, first: boolean): string {
  const start = first ? view.firstStart : view.lastStart;
  const end = first ? view.firstEnd : view.lastEnd;
  return JSON.stringify(bytesValue(view.bytes, start, Math.min(end, start + KEY_SHOWN_BYTES_MAX)));
}
