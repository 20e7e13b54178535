/**
 * The operations of a store, to be pulled. A dump pushes them, as fast as it reads; here the
 * reading waits until what was pushed has been taken, so that two stores can be walked in step and
 * memory stays bounded by one reading window and what the taker asks to see at once.
 */
import { openedBy } from '../file-set.ts';
import type { ByteSource, Family, FileSet, Finding, Opened, ScanContext } from '../format.ts';
import { type Operation, OperationSink } from './operation.ts';

/** As long as so many wait to be taken, nothing more is read. */
const WAITING_MIN = 256;

export interface StreamInput extends Opened {
  readonly family: Family;
}

export class OperationStream {
  #waiting: Operation[] = [];
  /** Index of the first one that is not taken yet. */
  #head = 0;
  #wanted = WAITING_MIN;
  #ended = false;
  #failure: unknown;
  /** Resolves when more was asked for. */
  #hungry = signal();
  /** Resolves when more has come, or the end. */
  #arrived = signal();

  /** `keep`: leaves out the operations for which it is false. */
  constructor(
    readonly input: StreamInput,
    readonly context: ScanContext,
    readonly onDamage: (finding: Finding) => void,
    readonly keep: (operation: Operation) => boolean,
  ) {
    void this.#run();
  }

  async #run(): Promise<void> {
    const { input, context } = this;
    const sink = new OperationSink((operation) => {
      if (this.keep(operation)) this.#waiting.push(operation);
    });
    try {
      const { family } = input;
      const gated = family.pauses ? input : { ...input, set: this.#gate(input.set) };
      const pause = () => this.#turn();
      await family.dump(gated, {}, { ...context, pause }, sink, this.onDamage);
    } catch (error) {
      this.#failure = error;
    }
    this.#ended = true;
    this.#arrived.fire();
  }

  /** The same files, whose reads wait their turn. */
  #gate(set: FileSet): FileSet {
    return openedBy(set, (name) => this.#gateSource(set.open(name)));
  }

  #gateSource(inner: ByteSource): ByteSource {
    return {
      name: inner.name,
      get size() {
        return inner.size;
      },
      ...(inner.forwardOnly && { forwardOnly: true }),
      read: (target, start, length, position) => {
        const turn = this.#turn();
        if (!turn) return inner.read(target, start, length, position);
        return turn.then(() => inner.read(target, start, length, position));
      },
      close: () => inner.close?.(),
    };
  }

  /** What was pushed so far is there to be taken; undefined: more may come at once. */
  #turn(): Promise<void> | undefined {
    this.#arrived.fire();
    return this.available < this.#wanted ? undefined : this.#wait();
  }

  async #wait(): Promise<void> {
    while (this.available >= this.#wanted) {
      this.#hungry = signal();
      await this.#hungry.fired;
    }
  }

  /** How many can be looked at. */
  get available(): number {
    return this.#waiting.length - this.#head;
  }

  /** Waits until `count` can be looked at, or all that are left. Throws what reading threw. */
  async need(count: number): Promise<number> {
    this.#wanted = Math.max(WAITING_MIN, count);
    while (this.available < count && !this.#ended) {
      this.#arrived = signal();
      this.#hungry.fire();
      await this.#arrived.fired;
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.available;
  }

  /** The one that comes `index` after the next. */
  peek(index: number): Operation {
    return this.#waiting[this.#head + index]!;
  }

  take(count: number): void {
    this.#head += count;
    if (this.#head < 4096 && this.available > 0) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}

interface Signal {
  readonly fired: Promise<void>;
  fire(): void;
}

function signal(): Signal {
  let fire: () => void = () => {};
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}
