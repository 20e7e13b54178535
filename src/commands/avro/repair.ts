import { RepairCommand } from '../../cli/repair-command.ts';

export default class AvroRepair extends RepairCommand {
  static override summary =
    'write what is left of a damaged container, with every byte accounted for';
  static override description =
    'Intact blocks are kept as they are; a marker that was hit is put right; of a block whose data are damaged ' +
    'those before the damage are written anew. What cannot be used goes to quarantine.';
  static override examples = [
    '<%= config.bin %> avro repair fixtures/avro/damaged/torn.avro --out /tmp/ddia-avro-repaired',
    '<%= config.bin %> avro repair fixtures/avro/damaged/bad-datum.avro --dry-run',
  ];
  override readonly family = 'avro';
}
