import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../cli/base-command.ts';
import { identifyPath } from '../cli/identify-paths.ts';
import { EXIT } from '../shared/errors.ts';
import { type IdentifyResult, identifyJson, identifyText } from '../ui/identify-text.ts';

export default class Identify extends DdiaCommand {
  static override summary = 'say which family and dialect files are of, and why';
  static override description =
    'Looks at the first bytes, the name and the neighbours of each PATH. Ends with 3 when one ' +
    'of them is nothing known, after all are told.';
  static override examples = [
    '<%= config.bin %> identify fixtures/wal/v1/clean',
    '<%= config.bin %> identify fixtures/wal/v1/clean/000001.wal --all',
    '<%= config.bin %> identify fixtures/wal/v1/clean fixtures/wal/v1/torn-tail --json',
  ];
  static override strict = false;
  static override args = {
    path: Args.string({
      ignoreStdin: true,
      description: 'files, directories of segments, or -',
      required: true,
    }),
  };
  static override flags = {
    all: Flags.boolean({ description: "show every dialect's answer" }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parseFor(Identify);
    const paths = argv as string[];
    const results: IdentifyResult[] = [];
    for (const path of paths) {
      const result = await identifyPath(this, path, flags.all);
      // Alone and with nothing more to tell, it is simply an error.
      if (result.error && paths.length === 1 && !result.answers) throw result.error;
      results.push(result);
      if (result.error) process.exitCode = EXIT.failed;
    }
    if (flags.json) this.printJson(identifyJson(results));
    else this.printText(await identifyText(results, flags.color));
  }
}
