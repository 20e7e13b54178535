/** Every byte of a payload with the field that it belongs to: its framing, its datum, the rest. */
import { toHex } from '../../shared/hex.ts';
import type { Span } from '../format.ts';
import { hexObject } from './codec/plain.ts';
import { walkDatum } from './codec/walk.ts';
import type { Framed } from './framing.ts';
import type { AvroType } from './schema/model.ts';
import { SpanBuilder } from './spans.ts';

/** The payload stands at `offset` of its file. */
export function payloadSpan(
  payload: Uint8Array,
  offset: number,
  framed: Framed,
  type: AvroType,
): Span {
  const { length } = payload;
  const spans = new SpanBuilder(hexObject);
  spans.shift = offset;
  spans.reached = offset + framed.start;
  const { end, fault } = walkDatum(type, payload, framed.start, length, spans.visitor);
  if (fault) spans.abandon();
  const reached = fault ? spans.reached : offset + end;
  const children = [...framingSpans(payload, offset, framed), ...spans.take()];
  const rest = offset + length - reached;
  if (rest > 0) {
    const where = fault?.path ? `${fault.path}: ` : '';
    children.push({
      name: fault ? 'data' : 'trailing',
      offset: reached,
      length: rest,
      value: fault ? where + fault.message : `${rest} bytes follow the datum`,
      damage: fault?.code ?? 'trailing-bytes',
    });
  }
  // A datum can end before it is whole with no byte left that could be shown as damaged.
  const damage = fault && rest === 0 ? { damage: fault.code } : {};
  const value = damage.damage ? fault?.message : framed.framing;
  return { name: 'payload', offset, length, value, ...damage, children };
}

/** A payload without a framing or schema that is known, and why. */
export function unframedSpan(payload: Uint8Array, offset: number, why: string): Span {
  const code = 'bad-framing';
  return { name: 'payload', offset, length: payload.length, value: why, damage: code };
}

/** See framing.ts for the layouts. */
function framingSpans(payload: Uint8Array, offset: number, framed: Framed): Span[] {
  const { framing, schemaId, fingerprint } = framed;
  const mark = (name: string, length: number): Span => {
    return { name, offset, length, value: { hex: toHex(payload, 0, length) } };
  };
  switch (framing) {
    case 'raw':
      return [];
    case 'single-object':
      return [
        mark('mark', 2),
        { name: 'fingerprint', offset: offset + 2, length: 8, value: fingerprint },
      ];
    case 'confluent':
      return [
        mark('magic', 1),
        { name: 'schema_id', offset: offset + 1, length: 4, value: schemaId },
      ];
    case 'registry-v1':
      return [{ name: 'schema_id', offset, length: 4, value: schemaId }];
  }
}
