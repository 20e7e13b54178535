import { AvroRewriteCommand } from '../../cli/avro-rewrite-command.ts';

export default class AvroConcat extends AvroRewriteCommand {
  static override summary = 'put containers together into one';
  static override description =
    'They must be of one schema, or are all resolved to --reader-schema. Blocks are taken over as they are where the codec stays. Damage is refused: repair first.';
  static override examples = [
    '<%= config.bin %> avro concat fixtures/avro/ocf/users-null.avro fixtures/avro/ocf/users-deflate.avro --out /tmp/ddia-concat.avro',
    '<%= config.bin %> avro concat fixtures/avro/ocf/users-snappy.avro fixtures/avro/ocf/users-bzip2.avro --codec zstandard --out /tmp/ddia-concat-2.avro --json',
  ];
}
