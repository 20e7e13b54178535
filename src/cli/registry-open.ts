/** Registries as commands use them: to read beside a server, or to change with the lock held. */
import { Registry, RegistryReader } from '../engines/registry/registry.ts';
import { RegistryStore } from '../engines/registry/store.ts';
import { RealDisk } from '../io/real-disk.ts';
import { DdiaError } from '../shared/errors.ts';

export async function readRegistry(directory: string): Promise<RegistryReader> {
  return new RegistryReader(await RegistryStore.read(new RealDisk(), directory));
}

/** Opens, makes if it is not there, and closes again. */
export async function withRegistry<T>(
  directory: string,
  act: (registry: Registry) => Promise<T>,
): Promise<T> {
  const registry = await openRegistry(directory);
  try {
    return await act(registry);
  } finally {
    await registry.close();
  }
}

export async function openRegistry(directory: string): Promise<Registry> {
  try {
    return await Registry.open(new RealDisk(), directory);
  } catch (error) {
    if (!(error instanceof DdiaError) || error.code !== 'locked') throw error;
    throw new DdiaError(
      error.code,
      error.message,
      'a server has it: send the request there, or stop it first; get, list and versions work beside it',
      error.exit,
    );
  }
}
