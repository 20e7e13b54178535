import { ContentCommand } from '../../cli/content-command.ts';

export default class BitcaskExport extends ContentCommand {
  static override summary = 'print the live content of a store as lines of JSON that import takes';
  static override description =
    'What scan --json prints, whether --json is given or not: key, value, and what the layout knows of time.';
  static override examples = [
    '<%= config.bin %> bitcask export fixtures/bitcask/hash-v1/clean --limit 3',
    '<%= config.bin %> bitcask export fixtures/bitcask/log-v1/clean | <%= config.bin %> bitcask import /tmp/ddia-bitcask-export-1 --sync batch',
  ];
  override readonly family = 'bitcask';
  override readonly alwaysJson = true;
}
