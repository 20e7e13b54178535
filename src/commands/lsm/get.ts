import { DdiaCommand } from '../../cli/base-command.ts';
import { parseBytes } from '../../cli/bytes-argument.ts';
import { bytesFlags, bytesFormatsOf } from '../../cli/dump-command.ts';
import { keyArg, storeArg, withLsm } from '../../cli/lsm-store.ts';
import { EXIT } from '../../shared/errors.ts';
import { textBytes } from '../../ui/bytes-format.ts';
import { JsonSink } from '../../ui/json-sink.ts';

export default class LsmGet extends DdiaCommand {
  static override summary = 'print the value of a key in an LSM store';
  static override description =
    'The bytes of the value as they are, and a newline. Ends with 1 if the key is not there.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-get-1 user:1 Ada && <%= config.bin %> lsm get /tmp/ddia-lsm-get-1 user:1`,
    `<%= config.bin %> lsm put /tmp/ddia-lsm-get-1 b hex:00ff && <%= config.bin %> lsm get /tmp/ddia-lsm-get-1 b --json`,
  ];
  static override args = { dir: storeArg, key: keyArg };
  static override flags = { ...bytesFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmGet);
    const { dir } = args;
    const { out } = this;
    const key = parseBytes(args.key);
    const options = { create: false, autoCompact: false };
    const value = await withLsm(dir, options, (store) => store.get(key));
    if (value === null) {
      process.exitCode = EXIT.damage;
      process.stderr.write(`${dir}: no key ${JSON.stringify(args.key)}\n`);
      return;
    }
    if (flags.json) {
      const sink = new JsonSink(out, bytesFormatsOf(flags));
      sink.begin();
      sink.bytes('key', 'key', key, 0, key.length);
      sink.bytes('value', 'value', value, 0, value.length);
      sink.end();
    } else if (flags['value-format'] === 'auto' && !flags.redact) {
      out.raw(value, 0, value.length);
      out.text('\n');
    } else out.text(`${textBytes(value, flags['value-format'], flags.redact)}\n`);
    out.flush();
  }
}
