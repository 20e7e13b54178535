/**
 * A version edit, the payload of a MANIFEST record (db/version_edit.cc): tagged fields until it
 * ends.
 *
 *     edit  := field*
 *     field := tag: varint32, what the tag says
 */
import type { EditReader } from './edit-reader.ts';

/** What a tag is called, and how its field is read into what is printed. */
export interface EditTag {
  readonly op: string;
  read(r: EditReader): Record<string, unknown>;
}

export interface EditForms {
  readonly tags: ReadonlyMap<number, EditTag>;
  /**
   * Tags with this bit may be skipped by who does not know them: a length follows. 0: there are
   * none such.
   */
  readonly ignoreMask: number;
  /** Names of the types in internal keys. */
  readonly types: readonly string[];
}

/** One field of an edit, as it was read last. */
export interface EditField {
  op: string;
  extra: Record<string, unknown>;
}

/** Reads the field at the reader's place; undefined: the reader says what is wrong. */
export function readField(forms: EditForms, r: EditReader): EditField | undefined {
  const tag = r.varint32('tag');
  if (r.failed) return undefined;
  const known = forms.tags.get(tag);
  if (known) {
    const extra = known.read(r);
    return r.failed ? undefined : { op: known.op, extra };
  }
  if ((tag & forms.ignoreMask) !== 0) {
    const length = r.skip('data');
    return r.failed ? undefined : { op: 'unknown-tag', extra: { tag, length } };
  }
  r.fail(`tag ${tag} names no field`, 'bad-op');
  return undefined;
}

/** LevelDB's levels are 0 to 6 (config::kNumLevels); RocksDB takes as many as it is told to. */
export function level(r: EditReader, count: number): number {
  const value = r.varint32('level');
  if (value >= count) r.fail(`level ${value} is not below ${count}`, 'bad-op');
  return value;
}

/** The tags that both dialects have; `levels`: how many there can be. */
export function baseTags(levels: number): [number, EditTag][] {
  return [
    [1, { op: 'comparator', read: (r) => ({ comparator: r.string('comparator') }) }],
    [2, { op: 'log-number', read: (r) => ({ logNumber: r.varint64('log_number') }) }],
    [
      3,
      { op: 'next-file-number', read: (r) => ({ nextFileNumber: r.varint64('next_file_number') }) },
    ],
    [4, { op: 'last-sequence', read: (r) => ({ lastSequence: r.varint64('last_sequence') }) }],
    [
      5,
      {
        op: 'compact-pointer',
        read: (r) => ({ level: level(r, levels), key: r.internalKey('key') }),
      },
    ],
    [
      6,
      {
        op: 'deleted-file',
        read: (r) => ({ level: level(r, levels), fileNumber: r.varint64('file_number') }),
      },
    ],
    [
      7,
      {
        op: 'new-file',
        read: (r) => ({
          level: level(r, levels),
          fileNumber: r.varint64('file_number'),
          fileSize: r.varint64('file_size'),
          smallest: r.internalKey('smallest'),
          largest: r.internalKey('largest'),
        }),
      },
    ],
    [9, { op: 'prev-log-number', read: (r) => ({ prevLogNumber: r.varint64('prev_log_number') }) }],
  ];
}
