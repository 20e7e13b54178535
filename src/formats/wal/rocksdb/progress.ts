/** kSubcompactionProgress (db/version_edit.cc): how far an interrupted compaction has come. */
import type { EditReader } from '../block-log/edit-reader.ts';
import { newFile } from './new-file.ts';

/** SubcompactionProgressCustomTag, and the per-level one, whose tags 1 to 3 are different. */
const TERMINATE = 1;
const NEXT_INTERNAL_KEY = 2;
const INPUT_RECORDS = 3;
const OUTPUT_LEVEL = 4;
const PROXIMAL_OUTPUT_LEVEL = 5;
const LEVEL_OUTPUT_FILES = 2;
const LEVEL_OUTPUT_RECORDS = 3;
/** kSubcompactionProgressCustomTagSafeIgnoreMask */
const IGNORE_MASK = 1 << 16;
const NEW_FILE_4 = 103;
/** Output files that are shown. */
const FILES_MAX = 64;

type Extra = Record<string, unknown>;

export function subcompactionProgress(r: EditReader): Extra {
  const extra: Extra = {};
  tagged(r, (tag) => {
    if (tag === NEXT_INTERNAL_KEY) {
      extra['nextInternalKey'] = r.internalKey('next_internal_key');
    } else if (tag === INPUT_RECORDS) {
      r.nested('field', () => {
        extra['processedInputRecords'] = r.varint64('processed_input_records');
      });
    } else if (tag === OUTPUT_LEVEL || tag === PROXIMAL_OUTPUT_LEVEL) {
      const name = tag === OUTPUT_LEVEL ? 'outputLevel' : 'proximalOutputLevel';
      r.nested('field', () => {
        extra[name] = levelProgress(r);
      });
    } else return false;
    return true;
  });
  return extra;
}

function levelProgress(r: EditReader): Extra {
  const extra: Extra = {};
  tagged(r, (tag) => {
    if (tag === LEVEL_OUTPUT_RECORDS) {
      r.nested('field', () => {
        extra['processedOutputRecords'] = r.varint64('processed_output_records');
      });
    } else if (tag === LEVEL_OUTPUT_FILES) {
      r.nested('field', () => {
        extra['outputFiles'] = outputFiles(r);
      });
    } else return false;
    return true;
  });
  return extra;
}

/**
 * Fields with tag and length up to the terminating tag; `read` returns false for a tag it does not
 * know.
 */
function tagged(r: EditReader, read: (tag: number) => boolean): void {
  while (!r.failed) {
    const tag = r.varint32('progress_tag');
    if (r.failed || tag === TERMINATE) return;
    if (read(tag)) continue;
    if (tag & IGNORE_MASK) r.skip('progress_field');
    else r.fail(`tag ${tag} of a subcompaction's progress is unknown`, 'bad-op');
  }
}

function outputFiles(r: EditReader): Extra[] {
  const files: Extra[] = [];
  const count = r.varint32('output_files');
  for (let i = 0; i < count && !r.failed; i++) {
    r.nested('output_file', () => {
      const tag = r.varint32('tag');
      if (tag !== NEW_FILE_4)
        r.fail(`output file with tag ${tag}, expected ${NEW_FILE_4}`, 'bad-op');
      const file = newFile(r, 4);
      if (files.length < FILES_MAX) files.push(file);
    });
  }
  return files;
}
