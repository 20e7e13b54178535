/**
 * Wire constants of object container files, shared by reader and writer.
 * https://avro.apache.org/docs/1.12.0/specification/#object-container-files
 *
 *     header:  "Obj" 1 │ map of string to bytes: avro.schema, avro.codec, … │ marker (16)
 *     block:   count (long) │ size (long) │ size bytes: the data, compressed │ marker (16)
 */
export const MAGIC = Buffer.from([0x4f, 0x62, 0x6a, 1]);
export const MARKER_BYTES = 16;
export const SCHEMA_KEY = 'avro.schema';
export const CODEC_KEY = 'avro.codec';

/** A header this large holds something else than a schema. */
export const HEADER_BYTES_MAX = 16 * 1024 * 1024;
/** The two varints at the front of a block. */
export const BLOCK_HEAD_BYTES_MAX = 20;

/** When a writer closes a block: as Apache Avro's does. */
export const BLOCK_BYTES_DEFAULT = 64_000;

export const CODECS = ['null', 'deflate', 'snappy', 'bzip2', 'xz', 'zstandard'] as const;
export type CodecName = (typeof CODECS)[number];
