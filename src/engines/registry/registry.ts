/**
 * The registry: schemas under ids that mean the same for ever, subjects with versions, and rules on
 * how they may change. What it answers is durable. Changes are made one after the other.
 */
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
} from '../../formats/avro/resolve/compatibility.ts';
import type { Disk } from '../../io/disk.ts';
import {
  ERRORS,
  MODES,
  type RegistryEvent,
  type RegistryMode,
  type SchemaInput,
  type StoredSchema,
  type StoredVersion,
} from './model.ts';
import { incompatibleWith, validate } from './schemas.ts';
import type { RegistryState } from './state.ts';
import { RegistryStore, type StoreOptions } from './store.ts';

/** A version with its schema. */
export interface FullVersion extends StoredSchema {
  subject: string;
  version: number;
  deleted: boolean;
}

const VERSION_MAX = 2 ** 31 - 1;

/** Questions to a state; they change nothing. */
export class RegistryReader {
  constructor(readonly state: RegistryState) {}

  subjects(deleted = false): string[] {
    return [...this.state.subjects.keys()]
      .filter((subject) => this.state.versions(subject, deleted).length > 0)
      .sort();
  }

  /** Versions of a subject, which must be there. */
  versions(subject: string, deleted = false): StoredVersion[] {
    const versions = this.state.versions(subject, deleted);
    if (versions.length === 0) throw ERRORS.subjectNotFound(subject);
    return versions;
  }

  /** `version`: a number, or `latest`. */
  version(subject: string, version: string | number, deleted = false): FullVersion {
    const versions = this.versions(subject, deleted);
    const wanted = versionNumber(version);
    const found =
      wanted === 'latest' ? versions.at(-1) : versions.find((one) => one.version === wanted);
    if (!found) throw ERRORS.versionNotFound(version);
    return this.full(subject, found);
  }

  full(subject: string, { version, id, deleted }: StoredVersion): FullVersion {
    return { ...this.state.schemas.get(id)!, subject, version, deleted };
  }

  schema(id: number): StoredSchema {
    const schema = this.state.schemas.get(id);
    if (!schema) throw ERRORS.schemaNotFound(`Schema ${id} not found`);
    return schema;
  }

  /** Every place where a schema is used. */
  uses(id: number, deleted = false): { subject: string; version: number }[] {
    this.schema(id);
    return [...this.state.subjects.keys()].sort().flatMap((subject) =>
      this.state
        .versions(subject, deleted)
        .filter((one) => one.id === id)
        .map(({ version }) => ({ subject, version })),
    );
  }

  /** Ids of schemas that refer to a version. */
  referencedBy(subject: string, version: number): number[] {
    return [...this.state.schemas.values()]
      .filter(({ references }) =>
        references.some((one) => one.subject === subject && one.version === version),
      )
      .filter(({ id }) => this.uses(id).length > 0)
      .map(({ id }) => id);
  }

  /** The version of a subject that has this very schema. */
  lookup(subject: string, schema: SchemaInput, deleted = false): FullVersion {
    const versions = this.versions(subject, deleted);
    validate(this.state, schema);
    const id = this.state.idOf(schema);
    const found = versions.findLast((one) => one.id === id);
    if (!found) throw ERRORS.schemaNotFound();
    return this.full(subject, found);
  }

  levelOf(subject: string): CompatibilityLevel {
    return this.state.levels.get(subject) ?? this.state.level;
  }

  modeOf(subject: string): RegistryMode {
    return this.state.modes.get(subject) ?? this.state.mode;
  }

  /**
   * Why a schema would be refused: against all versions as the level says, or against the one that
   * is named.
   */
  check(subject: string, schema: SchemaInput, against?: string): string[] {
    validate(this.state, schema);
    const older =
      against === undefined
        ? this.state.versions(subject).map((one) => this.full(subject, one))
        : [this.version(subject, against)];
    const pairs = older.map((one) => ({ version: one.version, schema: one }));
    return incompatibleWith(this.state, schema, pairs, this.levelOf(subject));
  }
}

export class Registry extends RegistryReader {
  #last: Promise<unknown> = Promise.resolve();

  private constructor(readonly store: RegistryStore) {
    super(store.state);
  }

  static async open(disk: Disk, directory: string, options?: StoreOptions): Promise<Registry> {
    return new Registry(await RegistryStore.open(disk, directory, options));
  }

  close(): Promise<void> {
    return this.#exclusive(() => this.store.close());
  }

  /** What is checked must still hold when it is written: one change at a time. */
  #exclusive<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run, run);
    this.#last = next.catch(() => undefined);
    return next;
  }

  #append(event: RegistryEvent): Promise<void> {
    return this.store.append(event);
  }

  /** The id of the schema and its version; those it has already, if the subject has it. */
  register(subject: string, schema: SchemaInput): Promise<{ id: number; version: number }> {
    return this.#exclusive(async () => {
      const mode = this.modeOf(subject);
      if (mode !== 'READWRITE') {
        throw ERRORS.notPermitted(`Subject '${subject}' is in ${mode.toLowerCase()} mode`);
      }
      validate(this.state, schema);
      const known = this.state.idOf(schema);
      const same = this.state.versions(subject).findLast((one) => one.id === known);
      if (same) return { id: same.id, version: same.version };
      const problems = this.check(subject, schema);
      if (problems.length > 0) {
        const level = this.levelOf(subject);
        throw ERRORS.incompatible(
          `Schema being registered is incompatible with an earlier schema for subject "${subject}" (${level}): ${problems.join(' | ')}`,
        );
      }
      const id = known ?? this.state.nextId;
      const version = this.state.subjects.get(subject)?.nextVersion ?? 1;
      await this.#append({ kind: 'register', subject, version, ...inputOf(schema), id });
      return { id, version };
    });
  }

  /** Puts in what an export had, with its numbers; the same again changes nothing. */
  restore(full: FullVersion): Promise<boolean> {
    return this.#exclusive(async () => {
      const { subject, version, id, deleted } = full;
      const known = this.state.schemas.get(id);
      const own = this.state.idOf(full);
      if ((known && own !== id) || (own !== undefined && own !== id)) {
        throw ERRORS.notPermitted(
          `Schema id ${id} is taken by another schema, or it has id ${own}`,
        );
      }
      const there = this.state.subjects.get(subject)?.versions.get(version);
      if (there && there.id !== id) {
        throw ERRORS.notPermitted(`Subject '${subject}' has another schema as version ${version}`);
      }
      if (there && there.deleted === deleted) return false;
      validate(this.state, full);
      const event = { kind: 'register' as const, subject, version, ...inputOf(full), id };
      await this.#append({ ...event, ...(deleted && { deleted }) });
      return true;
    });
  }

  /** The numbers of what was deleted. Softly first; for good only after that. */
  deleteSubject(subject: string, permanent: boolean): Promise<number[]> {
    return this.#exclusive(async () => {
      const all = this.state.versions(subject, true);
      if (all.length === 0) throw ERRORS.subjectNotFound(subject);
      const live = all.filter((one) => !one.deleted);
      if (permanent && live.length > 0) throw ERRORS.subjectNotSoftDeleted(subject);
      if (!permanent && live.length === 0) throw ERRORS.subjectSoftDeleted(subject);
      const versions = (permanent ? all : live).map(({ version }) => version);
      for (const version of versions) this.#refuseReferenced(subject, version);
      await this.#append({ kind: 'delete', subject, versions, permanent });
      return versions;
    });
  }

  deleteVersion(subject: string, wanted: string | number, permanent: boolean): Promise<number> {
    return this.#exclusive(async () => {
      const { version, deleted } = this.version(subject, wanted, true);
      if (permanent && !deleted) throw ERRORS.versionNotSoftDeleted(subject, version);
      if (!permanent && deleted) throw ERRORS.versionSoftDeleted(subject, version);
      this.#refuseReferenced(subject, version);
      await this.#append({ kind: 'delete', subject, versions: [version], permanent });
      return version;
    });
  }

  #refuseReferenced(subject: string, version: number): void {
    const ids = this.referencedBy(subject, version);
    if (ids.length === 0) return;
    throw ERRORS.referenceExists(
      `One or more references exist to the schema {subject=${subject},version=${version}}: ids ${ids.join(', ')}`,
    );
  }

  /** `subject` null: of all that have none of their own; `level` null: no longer one of its own. */
  setLevel(subject: string | null, level: unknown): Promise<void> {
    return this.#exclusive(async () => {
      const known = COMPATIBILITY_LEVELS.find((one) => one === level);
      if (level !== null && !known) throw ERRORS.invalidLevel(level);
      await this.#append({ kind: 'config', subject, level: known ?? null });
    });
  }

  setMode(subject: string | null, mode: unknown): Promise<void> {
    return this.#exclusive(async () => {
      const known = MODES.find((one) => one === mode);
      if (mode !== null && !known) throw ERRORS.invalidMode(mode);
      await this.#append({ kind: 'mode', subject, mode: known ?? null });
    });
  }
}

function inputOf({ type, text, references }: SchemaInput): SchemaInput {
  return { type, text, references };
}

/** A version as a request has it. */
export function versionNumber(version: string | number): number | 'latest' {
  if (version === 'latest' || version === '-1') return 'latest';
  const number = Number(version);
  if (!Number.isInteger(number) || number < 1 || number > VERSION_MAX) {
    throw ERRORS.invalidVersion(String(version));
  }
  return number;
}
