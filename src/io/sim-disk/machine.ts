import { systemError } from '../system-error.ts';
import { type DiskCall, type FaultEffect, FaultPlan } from './faults.ts';

/** One I/O, as hooks see it. */
export interface DiskOperation {
  /** From 1, since this disk was made. */
  readonly index: number;
  readonly call: DiskCall;
  readonly path: string;
  /** Of a rename: the new name. */
  readonly to?: string;
  /** Of a write: where, and how many bytes. Of a truncation: the new size is the position. */
  readonly position?: number;
  readonly length?: number;
  /** Of a sync: that it was dataSync. */
  readonly dataOnly?: boolean;
}

export type OperationHook = (operation: DiskOperation, when: 'before' | 'after') => void;

/** Thrown by every call on a disk whose power is off; no engine should catch it. */
export class PowerOff extends Error {
  override readonly name = 'PowerOff';
  readonly code = 'POWEROFF';
}

/** What a disk and its open files share: power, the count of operations, space and faults. */
export class Machine {
  readonly faults = new FaultPlan();
  hook: OperationHook | undefined;
  operations = 0;
  nextSequence: number;
  /** Changes whenever the state of the disk does. */
  version = 0;
  /** All files together may be this long; undefined for no limit. */
  capacityBytes: number | undefined;
  usedBytes = 0;
  /** No write takes more than this. */
  writeBytesMax = Number.POSITIVE_INFINITY;
  #on = true;

  constructor(nextSequence: number) {
    this.nextSequence = nextSequence;
  }

  powerOff(): void {
    this.#on = false;
  }

  assertOn(): void {
    if (!this.#on) throw new PowerOff('the power is off');
  }

  /** Counts one I/O, tells the hook, and does it unless a fault says otherwise. */
  perform<Result>(
    call: DiskCall,
    path: string,
    details: Omit<DiskOperation, 'index' | 'call' | 'path'>,
    act: (effect: FaultEffect | undefined) => Result,
    failed?: () => void,
  ): Result {
    const operation: DiskOperation = { index: ++this.operations, call, path, ...details };
    this.hook?.(operation, 'before');
    this.assertOn();
    const effect = this.faults.next(call, path);
    if (effect?.kind === 'error') {
      this.version++;
      failed?.();
      throw systemError(effect.code, call === 'sync' ? 'fsync' : call, path);
    }
    const result = act(effect);
    this.version++;
    this.hook?.(operation, 'after');
    return result;
  }

  /** Of `wanted` more bytes, those there is space for; throws ENOSPC if there is none. */
  allow(wanted: number, path: string): number {
    if (this.capacityBytes === undefined || wanted <= 0) return wanted;
    const free = Math.max(0, this.capacityBytes - this.usedBytes);
    if (free === 0) throw systemError('ENOSPC', 'write', path);
    return Math.min(free, wanted);
  }
}

/** For people: `12 write /data/log [0, 512)`. */
export function describeOperation(operation: DiskOperation): string {
  const { index, call, path, to, position, length, dataOnly } = operation;
  let text = `${index} ${call} ${path}`;
  if (to !== undefined) text += ` to ${to}`;
  if (position !== undefined) {
    text += length === undefined ? ` to ${position}` : ` [${position}, ${position + length})`;
  }
  return dataOnly === true ? `${text}, data only` : text;
}
