/** Deflate without zlib's frame (RFC 1951): Node's own. */
import * as zlib from 'node:zlib';
import { type BlockCodec, guarded, tooMuch } from './codec.ts';

export const deflateRaw: BlockCodec = {
  decompress(bytes, bytesMax) {
    return guarded('no deflate', () => {
      try {
        // The default chunk of 16 KiB would be joined again and again for a usual block.
        const chunkSize = Math.min(Math.max(bytes.length * 8, 16_384), 1_048_576);
        return zlib.inflateRawSync(bytes, { maxOutputLength: bytesMax, chunkSize });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw code === 'ERR_BUFFER_TOO_LARGE' ? tooMuch(bytesMax) : error;
      }
    });
  },
  compress: (bytes) => zlib.deflateRawSync(bytes),
};
