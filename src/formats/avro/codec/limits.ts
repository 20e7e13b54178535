/**
 * What data can ask for at most, whatever its schema. Lengths and counts are held against the bytes
 * that are there; these bound what costs no bytes.
 */

/** Records within records of a type that refers to itself: a list of more links is no tree. */
export const DEPTH_MAX = 512;
/** Items that take no bytes (null, fixed of 0) in a payload or block: they cost time, not file. */
export const EMPTY_ITEMS_MAX = 1_000_000;
