import { AvroRewriteCommand } from '../../cli/avro-rewrite-command.ts';

export default class AvroRecodec extends AvroRewriteCommand {
  static override summary = 'write a container anew with another codec';
  static override description =
    'Blocks keep their data; what is in them is checked on the way. Damage is refused: repair first.';
  static override examples = [
    '<%= config.bin %> avro recodec fixtures/avro/ocf/users-null.avro --codec deflate --out /tmp/ddia-recodec.avro',
    '<%= config.bin %> avro recodec fixtures/avro/ocf/users-bzip2.avro --codec xz --out /tmp/ddia-recodec-2.avro --json',
  ];
}
