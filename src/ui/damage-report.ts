/**
 * Damaged places, reported on stderr while data goes to stdout; a limited number, all are counted.
 */
import type { Finding } from '../formats/format.ts';
import type { Output } from './output.ts';
import { writeStderr } from './progress.ts';
import { printable } from './text-sink.ts';

export class DamageReport {
  count = 0;

  constructor(
    readonly out: Output,
    readonly most: number,
  ) {}

  /** `where`: what the file's name alone does not tell. */
  tell(finding: Finding, where = ''): void {
    if (++this.count > this.most) {
      if (this.count === this.most + 1) writeStderr('… more damage, not listed\n');
      return;
    }
    // What was found before stands before it on a terminal that shows both.
    this.out.flush();
    const { severity, code, file, offset, length, message } = finding;
    const place = `${where}${printable(file)} @ ${offset} +${length}`;
    writeStderr(`${severity}: ${code} ${place}: ${message}\n`);
  }
}
