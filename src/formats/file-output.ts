/** Where new files go, one after the other: what a writer of a log or a store is handed. */
export interface FileOutput {
  begin(name: string): void;
  /** The bytes are valid until the next call of whoever made them: written or copied at once. */
  write(bytes: Uint8Array): void;
  finish(): void;
}
