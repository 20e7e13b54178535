import { StatCommand } from '../../cli/stat-command.ts';

export default class AvroStat extends StatCommand {
  static override summary = 'count blocks and data of a container, and what each field takes';
  static override examples = [
    '<%= config.bin %> avro stat fixtures/avro/ocf/users-null.avro',
    '<%= config.bin %> avro stat fixtures/avro/ocf --json',
  ];
  override readonly family = 'avro';
}
