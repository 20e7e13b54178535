import { VerifyCommand } from '../../cli/verify-command.ts';

export default class AvroVerify extends VerifyCommand {
  static override summary = 'check a container: framing, compression, and every datum';
  static override description =
    'Reads all data strictly by the schema. A torn tail, as a crash leaves it, ends with 4; damage with 1.';
  static override examples = [
    '<%= config.bin %> avro verify fixtures/avro/ocf/users-deflate.avro',
    '<%= config.bin %> avro verify fixtures/avro/damaged --json',
  ];
  override readonly family = 'avro';
}
