import { Args, Flags } from '@oclif/core';
import { DdiaCommand } from '../../cli/base-command.ts';
import { openRegistry } from '../../cli/registry-open.ts';
import { serveRegistry } from '../../cli/registry-serve.ts';

export default class RegistryServe extends DdiaCommand {
  static override summary = 'serve a registry to Schema Registry clients';
  static override description =
    'Speaks the REST interface of the Schema Registry. What is answered is durable. Ends on SIGINT or SIGTERM, when ' +
    'requests that are under way have been answered. There is no authentication: the address is this machine alone ' +
    'unless --host says otherwise.';
  static override examples = [
    '<%= config.bin %> registry serve /tmp/ddia-registry --port 0 --seconds 1',
    '<%= config.bin %> registry serve /tmp/ddia-registry --port 0 --seconds 1 --json --quiet',
  ];
  static override args = {
    dir: Args.string({
      ignoreStdin: true,
      description: 'directory of the registry',
      required: true,
    }),
  };
  static override flags = {
    host: Flags.string({ description: 'address to listen on', default: '127.0.0.1' }),
    port: Flags.integer({
      description: 'port; 0: any that is free',
      default: 8081,
      min: 0,
      max: 65535,
    }),
    seconds: Flags.integer({ description: 'end after so many seconds', min: 1 }),
    quiet: Flags.boolean({ description: 'no line on stderr for each request' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parseFor(RegistryServe);
    const registry = await openRegistry(args.dir);
    try {
      const log = (line: string) => {
        if (!flags.quiet) process.stderr.write(`${line}\n`);
      };
      const serving = await serveRegistry(registry, flags.host, flags.port, log);
      this.out.text(flags.json ? `${JSON.stringify({ url: serving.url })}\n` : `${serving.url}\n`);
      this.out.flush();
      await new Promise<void>((resolve) => {
        if (this.signal.aborted) resolve();
        this.signal.addEventListener('abort', () => resolve(), { once: true });
        if (flags.seconds !== undefined) setTimeout(resolve, flags.seconds * 1000);
      });
      await serving.close();
    } finally {
      await registry.close();
    }
  }
}
