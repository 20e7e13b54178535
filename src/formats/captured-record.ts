/**
 * A record that a dump told, kept with everything that was said of it, to be told again to another
 * sink.
 */
import type { RecordSink } from './format.ts';

type Field =
  | { type: 'word' | 'text'; name: string; value: string }
  | { type: 'integer' | 'time'; name: string; value: number }
  | { type: 'flag'; name: string; value: boolean }
  | { type: 'integer64'; name: string; high: number; low: number }
  | { type: 'bytes'; name: string; kind: 'key' | 'value'; value: Uint8Array }
  | { type: 'json'; name: string; value: unknown };

export class CapturedRecord {
  readonly fields: Field[] = [];
  /** Of keys and values, which are copies. */
  bytes = 0;

  get file(): string {
    const field = this.fields.find(({ name }) => name === 'file');
    return field?.type === 'text' ? field.value : '';
  }

  /** In two halves; undefined where the record has none. */
  get seq(): { high: number; low: number } | undefined {
    const field = this.fields.find(({ name }) => name === 'seq');
    if (field?.type === 'integer64') return field;
    return field?.type === 'integer'
      ? { high: Math.floor(field.value / 2 ** 32), low: field.value >>> 0 }
      : undefined;
  }

  /** Tells the fields, but those that `leaveOut` names; not the record's begin and end. */
  tell(sink: RecordSink, leaveOut: ReadonlySet<string>): void {
    for (const field of this.fields) {
      const { name } = field;
      if (leaveOut.has(name)) continue;
      switch (field.type) {
        case 'word':
          sink.word(name, field.value);
          break;
        case 'text':
          sink.text(name, field.value);
          break;
        case 'integer':
          sink.integer(name, field.value);
          break;
        case 'integer64':
          sink.integer64(name, field.high, field.low);
          break;
        case 'bytes':
          sink.bytes(name, field.kind, field.value, 0, field.value.length);
          break;
        case 'time':
          sink.time(name, field.value);
          break;
        case 'flag':
          sink.flag(name, field.value);
          break;
        case 'json':
          sink.json(name, field.value);
      }
    }
  }
}

/** Captures every record that it is told. */
export class CapturingSink implements RecordSink {
  #record = new CapturedRecord();

  constructor(readonly onRecord: (record: CapturedRecord) => void) {}

  begin(): void {
    this.#record = new CapturedRecord();
  }

  word(name: string, value: string): void {
    this.#record.fields.push({ type: 'word', name, value });
  }

  text(name: string, value: string): void {
    this.#record.fields.push({ type: 'text', name, value });
  }

  integer(name: string, value: number): void {
    this.#record.fields.push({ type: 'integer', name, value });
  }

  integer64(name: string, high: number, low: number): void {
    this.#record.fields.push({ type: 'integer64', name, high, low });
  }

  bytes(name: string, kind: 'key' | 'value', source: Uint8Array, start: number, end: number): void {
    // A copy: the scan reuses its buffer.
    this.#record.fields.push({ type: 'bytes', name, kind, value: source.slice(start, end) });
    this.#record.bytes += end - start;
  }

  time(name: string, seconds: number): void {
    this.#record.fields.push({ type: 'time', name, value: seconds });
  }

  flag(name: string, value: boolean): void {
    this.#record.fields.push({ type: 'flag', name, value });
  }

  json(name: string, value: unknown): void {
    this.#record.fields.push({ type: 'json', name, value });
  }

  end(): void {
    this.onRecord(this.#record);
  }
}
