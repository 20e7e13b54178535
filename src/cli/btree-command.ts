/** What the commands of the topic `btree` share. */
import { Args, Flags } from '@oclif/core';
import type { BtreeContext, BtreeOpened } from '../formats/btree/model.ts';
import type { ScanContext } from '../formats/format.ts';
import { DdiaCommand, limitFlags, limitsOf } from './base-command.ts';
import { tellOfWriters } from './btree-writer.ts';
import { openPath } from './open.ts';

export const pathArg = Args.string({
  ignoreStdin: true,
  description: 'file, or directory that holds it',
  required: true,
});

export const btreeFlags = {
  dialect: Flags.string({ description: 'take the file for this dialect' }),
  'page-size': Flags.integer({ description: 'v1: bytes of a page, where the file does not tell' }),
};

export const treeFlag = Flags.string({ description: 'this tree alone (table, bucket, database)' });

export const deepFlag = Flags.boolean({
  description:
    'SQLite: also each index against its table, CHECK and types of values; LMDB, bbolt, v2: the other meta page',
});

export interface BtreeInput {
  input: BtreeOpened;
  context: BtreeContext;
  end(): void;
}

export abstract class BtreeCommand extends DdiaCommand {
  readonly #paths: string[] = [];

  override async finally(error: Error | undefined): Promise<void> {
    tellOfWriters(this.#paths);
    await super.finally(error);
  }

  async open(
    path: string,
    flags: {
      dialect?: string | undefined;
      'page-size'?: number | undefined;
      'max-record-bytes'?: number | undefined;
      'max-findings'?: number | undefined;
      deep?: boolean | undefined;
    },
  ): Promise<BtreeInput> {
    this.#paths.push(path);
    const input = (await openPath(this, path, 'btree', flags.dialect)) as unknown as BtreeOpened;
    const context: ScanContext & { set: BtreeOpened['set'] } = {
      ...this.reading(
        limitsOf({
          'max-record-bytes': flags['max-record-bytes'] ?? limitFlags['max-record-bytes'].default,
          'max-findings': flags['max-findings'] ?? limitFlags['max-findings'].default,
        } as { 'max-record-bytes': number; 'max-findings': number }),
      ),
      options: { 'page-size': flags['page-size'], deep: flags.deep },
      set: input.set,
    };
    return { input, context, end: () => this.progress.end() };
  }
}
