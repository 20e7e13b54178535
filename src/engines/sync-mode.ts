export const SYNC_MODES = ['sync', 'batch', 'none'] as const;
/**
 * When a write counts as done. `sync`: when it is durable; `batch`: every so many operations are
 * synced; `none`: when it is handed to the operating system.
 */
export type SyncMode = (typeof SYNC_MODES)[number];
