import { Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { bound, bytesFlags, bytesFormatsOf, rangeFlags } from '../../cli/dump-command.ts';
import { storeArg, withLsm } from '../../cli/lsm-store.ts';
import { JsonSink } from '../../ui/json-sink.ts';
import { TextSink } from '../../ui/text-sink.ts';

export default class LsmScan extends DdiaCommand {
  static override summary = 'print the keys and values of an LSM store, in byte order of the keys';
  static override description =
    'As they are when it begins. With --json, what it prints is what import takes.';
  static override examples = [
    `<%= config.bin %> lsm put /tmp/ddia-lsm-scan-1 a 1 && <%= config.bin %> lsm scan /tmp/ddia-lsm-scan-1`,
    `<%= config.bin %> lsm put /tmp/ddia-lsm-scan-1 a 2 && <%= config.bin %> lsm scan /tmp/ddia-lsm-scan-1 --prefix a --reverse --json`,
  ];
  static override args = { dir: storeArg };
  static override flags = {
    ...rangeFlags,
    reverse: Flags.boolean({ description: 'from the last key to the first' }),
    ...bytesFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(LsmScan);
    const { out } = this;
    const formats = bytesFormatsOf(flags);
    const sink = flags.json ? new JsonSink(out, formats) : new TextSink(out, formats);
    let skip = flags.offset ?? 0;
    const limit = flags.limit === undefined ? undefined : flags.limit + skip;
    await withLsm(args.dir, { create: false, autoCompact: false }, (store) => {
      const { reverse } = flags;
      const [from, to, prefix] = [bound(flags.from), bound(flags.to), bound(flags.prefix)];
      for (const { key, value } of store.scan({ from, to, prefix, reverse, limit })) {
        this.signal.throwIfAborted();
        if (skip-- > 0) continue;
        sink.begin();
        sink.bytes('key', 'key', key, 0, key.length);
        sink.bytes('value', 'value', value, 0, value.length);
        sink.end();
      }
    });
    out.flush();
  }
}
