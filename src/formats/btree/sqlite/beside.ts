/** What lies beside a database and takes the place of pages in it: its log, or its journal. */
import type { ByteSource } from '../../format.ts';
import type { Overlay } from '../page-cache.ts';

export interface Beside extends Overlay {
  readonly source: ByteSource;
  readonly pageSize: number;
  /** Pages of the database when it is applied. */
  readonly pageCount: number;
  /** What stat tells of it. */
  readonly facts: Record<string, unknown>;
}
