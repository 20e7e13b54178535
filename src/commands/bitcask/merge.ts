import { Args, Flags } from '@oclif/core';
import { DdiaCommand, limitFlags, limitsOf } from '../../cli/base-command.ts';
import { mergePath, mergeText } from '../../cli/bitcask-merge.ts';
import { timestampOf } from '../../cli/bitcask-write.ts';
import { openPath } from '../../cli/open.ts';
import { writableDialect } from '../../cli/writable.ts';
import type { BitcaskDialect } from '../../formats/bitcask/model.ts';
import { EXIT, usageError } from '../../shared/errors.ts';

export default class BitcaskMerge extends DdiaCommand {
  static override summary = 'write the live content of a store anew, with hint files';
  static override description =
    'Leaves out what is overwritten, deleted or expired. With --out, the input is not touched; damage is read ' +
    'past and told, and ends the command with 1. Without it, a store of layout v2 is merged where it is, by its ' +
    'own engine: the manifest switches from the old files to the new at once, and damage ends it before.';
  static override examples = [
    `echo '{"key":"a","value":"1"}' | <%= config.bin %> bitcask import /tmp/ddia-bitcask-merge-3 && <%= config.bin %> bitcask merge /tmp/ddia-bitcask-merge-3`,
    '<%= config.bin %> bitcask merge fixtures/bitcask/hash-v1/clean --out /tmp/ddia-bitcask-merge-1',
    '<%= config.bin %> bitcask merge fixtures/bitcask/riak/plain --out /tmp/ddia-bitcask-merge-2 --to-dialect log-v1 --file-bytes 2000',
  ];
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'directory of the store, or one data file of it',
      required: true,
    }),
  };
  static override flags = {
    dialect: Flags.string({ description: 'take the files for this dialect' }),
    out: Flags.string({ description: 'directory for the result; must not exist' }),
    worth: Flags.boolean({
      description:
        'only files of which half is dead, and small ones if there are many (without --out)',
      exclusive: ['out'],
    }),
    force: Flags.boolean({ description: 'replace what is at --out' }),
    'to-dialect': Flags.string({ description: 'layout of the result [default: the input’s]' }),
    'file-bytes': Flags.integer({
      description: 'a data file at or over this size is closed [default: the layout’s own]',
      min: 1,
    }),
    'first-file': Flags.integer({
      description: 'number of the first data file',
      default: 1,
      min: 1,
    }),
    timestamp: Flags.string({
      description: 'seconds since 1970, for records that have none [default: now]',
    }),
    ...limitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(BitcaskMerge);
    const input = await openPath(this, args.path, 'bitcask', flags.dialect);
    if (flags.out === undefined) {
      if (input.dialect.id !== 'v2' || !input.set.isDirectory) {
        throw usageError(
          'no-out',
          `${args.path} is a store of ${input.dialect.id}: only a directory of v2 is merged in place`,
          'name a new directory with --out',
        );
      }
      const { mergeInPlace, storeMergeText } = await import('../../cli/bitcask-merge-store.ts');
      const which = flags.worth ? 'worth' : 'all';
      const report = await mergeInPlace(this, args.path, which, flags['file-bytes']);
      if (flags.json) this.printJson(report);
      else this.printText(storeMergeText(report));
      return;
    }
    const to = flags['to-dialect'] ?? input.dialect.id;
    const result = await mergePath(
      this,
      input,
      await writableDialect<BitcaskDialect>(this, 'bitcask', to),
      {
        out: flags.out,
        force: flags.force,
        fileBytes: flags['file-bytes'],
        firstFile: flags['first-file'],
        timestamp: timestampOf(flags.timestamp),
        limits: limitsOf(flags),
      },
    );
    process.exitCode = result.damage.length === 0 ? EXIT.ok : EXIT.damage;
    if (flags.json) this.printJson(result);
    else this.printText(mergeText(result));
  }
}
