/** What is asked of a store. */

export interface Operation {
  key: Uint8Array;
  /** Undefined: delete. */
  value: Uint8Array | undefined;
}

/** A write that is under way, and what it has found: whether its key was new, or was there. */
export interface Pending {
  operations: readonly Operation[];
  changed: number;
}
