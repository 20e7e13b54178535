/**
 * Names, constants and offsets of bitcask v2, shared by reader and writer. The layout is drawn in
 * docs/formats/bitcask-v2.md; FORMAT.md beside this file is its page for `ddia formats`.
 */
export const MANIFEST_NAME = 'MANIFEST.bitcask2';
export const DATA_NAME = /^(\d{6,10})\.bcd$/;
export const HINT_NAME = /^(\d{6,10})\.bch$/;

export const dataName = (number: number): string => `${String(number).padStart(6, '0')}.bcd`;
export const hintName = (number: number): string => `${String(number).padStart(6, '0')}.bch`;

/** The number in a name, as the writer would have written it; undefined for any other name. */
export const dataFile = (name: string): number | undefined => numberIn(name, DATA_NAME, dataName);
export const hintFile = (name: string): number | undefined => numberIn(name, HINT_NAME, hintName);

function numberIn(
  name: string,
  pattern: RegExp,
  nameOf: (number: number) => string,
): number | undefined {
  const number = Number(pattern.exec(name)?.[1]);
  return nameOf(number) === name ? number : undefined;
}

export const VERSION = 2;
/** Of data file, hint file and manifest alike. */
export const HEADER_BYTES = 64;
export const HEADER_CRC_AT = 60;
/** Offsets are u32. */
export const FILE_BYTES_MAX = 0xffff_ffff;
export const FILE_BYTES_DEFAULT = 64 * 1024 * 1024;

export const DATA_MAGIC = 'DDIABCD2';
export const HINT_MAGIC = 'DDIABCH2';
export const MANIFEST_MAGIC = 'DDIABCM2';

/** kind of a data file. */
export const WRITTEN = 1;
export const MERGED = 2;

/** Record. */
export const HEAD_BYTES = 44;
export const HEAD_CRC_AT = 0;
export const BODY_CRC_AT = 4;
export const SEQ_AT = 8;
export const KEY_LENGTH_AT = 16;
export const VALUE_LENGTH_AT = 20;
export const TIMESTAMP_AT = 24;
export const EXPIRES_AT = 32;
export const KIND_AT = 38;
export const FLAGS_AT = 39;
export const UNSYNCED_AT = 40;

/** kind of a record or a hint entry. */
export const PUT = 1;
export const DELETE = 2;
/** flags of a record: the next record is of the same batch; the one before it is. */
export const CONTINUED = 1;
export const CONTINUES = 2;
export const FLAGS_KNOWN = CONTINUED | CONTINUES;

/** Hint file. */
export const BLOCK_HEAD_BYTES = 16;
export const BLOCK_BYTES_MAX = 64 * 1024;
export const ENTRY_HEAD_BYTES = 28;

/** Manifest entry, and its flags. */
export const MANIFEST_ENTRY_BYTES = 64;
export const SEALED = 1;
export const IS_MERGED = 2;
export const HAS_HINT = 4;
