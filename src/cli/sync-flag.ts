import { Flags } from '@oclif/core';
import { SYNC_MODES, type SyncMode } from '../engines/sync-mode.ts';

/** When a write counts as done. */
export const syncFlag = Flags.option({ options: SYNC_MODES, default: 'sync' as SyncMode });
