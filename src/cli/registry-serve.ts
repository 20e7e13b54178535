/** registry serve: the REST interface over HTTP. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from '../engines/registry/registry.ts';
import { answer, RawText, type RestAnswer } from '../engines/registry/rest.ts';

const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';
/** A schema that takes more is none. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;

export interface Serving {
  /** `http://127.0.0.1:8081` */
  url: string;
  /** Ends when requests that are under way have been answered. */
  close(): Promise<void>;
}

export async function serveRegistry(
  registry: Registry,
  host: string,
  port: number,
  log: (line: string) => void,
): Promise<Serving> {
  const server = createServer((request, response) => {
    void respond(registry, request, response, log);
  });
  await listen(server, host, port);
  const { address, port: bound, family } = server.address() as AddressInfo;
  const shown = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${shown}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function respond(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const began = performance.now();
  let result: RestAnswer;
  try {
    const body = await bodyOf(request);
    result =
      body === undefined
        ? { status: 413, body: { error_code: 413, message: `over ${BODY_BYTES_MAX} bytes` } }
        : await answer(registry, { method, url, body });
  } catch (error) {
    result = { status: 500, body: { error_code: 50001, message: (error as Error).message } };
  }
  const { status, body } = result;
  const text = body instanceof RawText ? body.text : JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': CONTENT_TYPE });
  response.end(text);
  log(`${method} ${url} ${status} ${(performance.now() - began).toFixed(1)} ms`);
}

/** Undefined if it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length <= BODY_BYTES_MAX) parts.push(part);
  }
  return length > BODY_BYTES_MAX ? undefined : Buffer.concat(parts).toString('utf8');
}
