/**
 * Fields of version edits that have a file of their own in RocksDB: db/blob/blob_file_*.cc,
 * db/wal_edit.cc.
 */
import type { EditReader } from '../block-log/edit-reader.ts';

/**
 * kEndMarker of custom fields, and the bit of those that a reader must know
 * (kForwardIncompatibleMask).
 */
const END_MARKER = 0;
const FORWARD_INCOMPATIBLE_MASK = 1 << 6;

export function blobFileAddition(r: EditReader): Record<string, unknown> {
  const extra = {
    fileNumber: r.varint64('file_number'),
    totalBlobCount: r.varint64('total_blob_count'),
    totalBlobBytes: r.varint64('total_blob_bytes'),
    checksumMethod: r.string('checksum_method'),
    checksumValue: r.hex('checksum_value'),
  };
  customFields(r);
  return extra;
}

export function blobFileGarbage(r: EditReader): Record<string, unknown> {
  const extra = {
    fileNumber: r.varint64('file_number'),
    garbageBlobCount: r.varint64('garbage_blob_count'),
    garbageBlobBytes: r.varint64('garbage_blob_bytes'),
  };
  customFields(r);
  return extra;
}

/** Up to the end marker; none is defined yet. */
function customFields(r: EditReader): void {
  while (!r.failed) {
    const tag = r.varint32('custom_tag');
    if (r.failed || tag === END_MARKER) return;
    if (tag & FORWARD_INCOMPATIBLE_MASK) r.fail(`custom tag ${tag} is unknown`, 'bad-op');
    else r.skip('custom_field');
  }
}

/** WalAdditionTag */
const WAL_TERMINATE = 1;
const WAL_SYNCED_SIZE = 2;

export function walAddition(r: EditReader): Record<string, unknown> {
  const extra: Record<string, unknown> = { logNumber: r.varint64('log_number') };
  while (!r.failed) {
    const tag = r.varint32('wal_tag');
    if (r.failed || tag === WAL_TERMINATE) break;
    if (tag === WAL_SYNCED_SIZE) extra['syncedSize'] = r.varint64('synced_size');
    else r.fail(`tag ${tag} of a WAL addition is unknown`, 'bad-op');
  }
  return extra;
}
