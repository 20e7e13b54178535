/** Prints what find finds: the place first, then the record as dump prints it. */
import { join } from 'node:path';
import type { CapturedRecord } from '../formats/captured-record.ts';
import type { RecordSink } from '../formats/format.ts';
import type { BytesFormats } from './bytes-format.ts';
import { JsonSink } from './json-sink.ts';
import type { Output } from './output.ts';
import { TextSink } from './text-sink.ts';

export interface Found {
  path: string;
  isDirectory: boolean;
  family: string;
  dialect: string;
  record: CapturedRecord;
}

const NOTHING: ReadonlySet<string> = new Set();

export class MatchPrinter {
  readonly #sink: RecordSink;
  readonly #leaveOut: ReadonlySet<string>;

  constructor(
    out: Output,
    formats: BytesFormats,
    readonly json: boolean,
    /** Keys differ, so they are shown to people as well. */
    withKeys: boolean,
  ) {
    this.#sink = json ? new JsonSink(out, formats) : new TextSink(out, formats);
    this.#leaveOut = new Set(withKeys ? ['file'] : ['file', 'key']);
  }

  print({ path, isDirectory, family, dialect, record }: Found): void {
    const sink = this.#sink;
    sink.begin();
    if (this.json) {
      sink.text('path', path);
      sink.text('family', family);
      sink.text('dialect', dialect);
      record.tell(sink, NOTHING);
    } else {
      sink.text('file', isDirectory ? join(path, record.file) : path);
      record.tell(sink, this.#leaveOut);
    }
    sink.end();
  }
}
