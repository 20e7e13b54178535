/**
 * The state of a registry: what its events add up to. Applying an event never fails: what is in the
 * log has been checked before it was written.
 */
import type { CompatibilityLevel } from '../../formats/avro/resolve/compatibility.ts';
import type {
  RegistryEvent,
  RegistryMode,
  SchemaInput,
  StoredSchema,
  StoredVersion,
  Subject,
} from './model.ts';

/** The state as the snapshot has it. */
export interface StateJson {
  nextId: number;
  level: CompatibilityLevel;
  mode: RegistryMode;
  schemas: StoredSchema[];
  subjects: { subject: string; nextVersion: number; versions: StoredVersion[] }[];
  levels: [string, CompatibilityLevel][];
  modes: [string, RegistryMode][];
}

export class RegistryState {
  /** Never goes down: an id that was given once means its schema for ever. */
  nextId = 1;
  level: CompatibilityLevel = 'BACKWARD';
  mode: RegistryMode = 'READWRITE';
  readonly schemas = new Map<number, StoredSchema>();
  readonly subjects = new Map<string, Subject>();
  readonly levels = new Map<string, CompatibilityLevel>();
  readonly modes = new Map<string, RegistryMode>();
  readonly #ids = new Map<string, number>();

  apply(event: RegistryEvent): void {
    switch (event.kind) {
      case 'register':
        this.#register(event);
        return;
      case 'delete':
        this.#delete(event);
        return;
      case 'config':
        if (event.subject === null) this.level = event.level ?? 'BACKWARD';
        else if (event.level === null) this.levels.delete(event.subject);
        else this.levels.set(event.subject, event.level);
        return;
      case 'mode':
        if (event.subject === null) this.mode = event.mode ?? 'READWRITE';
        else if (event.mode === null) this.modes.delete(event.subject);
        else this.modes.set(event.subject, event.mode);
    }
  }

  #register(event: Extract<RegistryEvent, { kind: 'register' }>): void {
    const { subject: name, version, id, type, text, references, deleted = false } = event;
    this.#addSchema({ id, type, text, references });
    const subject = this.subjects.get(name) ?? { versions: new Map(), nextVersion: 1 };
    this.subjects.set(name, subject);
    subject.versions.set(version, { version, id, deleted });
    subject.nextVersion = Math.max(subject.nextVersion, version + 1);
  }

  #addSchema(schema: StoredSchema): void {
    this.schemas.set(schema.id, schema);
    this.#ids.set(identityOf(schema), schema.id);
    this.nextId = Math.max(this.nextId, schema.id + 1);
  }

  #delete({ subject, versions, permanent }: Extract<RegistryEvent, { kind: 'delete' }>): void {
    const found = this.subjects.get(subject);
    for (const version of versions) {
      const one = found?.versions.get(version);
      if (!one) continue;
      if (permanent) found!.versions.delete(version);
      else one.deleted = true;
    }
  }

  /** The id under which this very schema is known. */
  idOf(schema: SchemaInput): number | undefined {
    return this.#ids.get(identityOf(schema));
  }

  /** Versions in order. */
  versions(subject: string, deleted = false): StoredVersion[] {
    const all = [...(this.subjects.get(subject)?.versions.values() ?? [])];
    return all.filter((one) => deleted || !one.deleted).sort((a, b) => a.version - b.version);
  }

  toJson(): StateJson {
    return {
      nextId: this.nextId,
      level: this.level,
      mode: this.mode,
      schemas: [...this.schemas.values()],
      subjects: [...this.subjects].map(([subject, { nextVersion, versions }]) => ({
        subject,
        nextVersion,
        versions: [...versions.values()],
      })),
      levels: [...this.levels],
      modes: [...this.modes],
    };
  }

  static fromJson(json: StateJson): RegistryState {
    const state = new RegistryState();
    state.level = json.level;
    state.mode = json.mode;
    for (const schema of json.schemas) state.#addSchema(schema);
    for (const { subject, nextVersion, versions } of json.subjects) {
      const byNumber = new Map(versions.map((one) => [one.version, one]));
      state.subjects.set(subject, { nextVersion, versions: byNumber });
    }
    for (const [subject, level] of json.levels) state.levels.set(subject, level);
    for (const [subject, mode] of json.modes) state.modes.set(subject, mode);
    state.nextId = Math.max(state.nextId, json.nextId);
    return state;
  }
}

/** Spaces between the words of a schema do not make another of it. */
function identityOf({ type, text, references }: SchemaInput): string {
  return JSON.stringify([type, type === 'PROTOBUF' ? text : minified(text), references]);
}

function minified(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}
