import { afterEach, expect, test, vi } from 'vitest';
import { serveCuda } from '../../server/cuda-requests.ts';
import { cudaFolderGiven } from '../../server/protocol/machine.ts';

const VARIABLE = 'LORAFA_CUDA_FOLDER';

/** Serves, and returns what tells the server which folder is chosen. */
function served(): (folder: unknown) => void {
  const heard = new Map<string, (params: unknown) => void>();
  const connection = {
    onRequest: () => undefined,
    onNotification: (method: string, handler: (params: unknown) => void) =>
      heard.set(method, handler),
    sendNotification: async () => undefined,
  };
  serveCuda(connection, 'cli.js');
  return (folder) => heard.get(cudaFolderGiven.method)!({ folder });
}

afterEach(() => {
  vi.unstubAllEnvs();
});

test('the folder that is chosen is that of every process that is started, before that of the environment', () => {
  vi.stubEnv(VARIABLE, '/theirs');
  const tell = served();
  tell('/chosen');
  expect(process.env[VARIABLE]).toBe('/chosen');
  // What is no folder changes nothing.
  tell(3);
  expect(process.env[VARIABLE]).toBe('/chosen');
  tell(null);
  expect(process.env[VARIABLE]).toBe('/theirs');
});

test('where none is chosen, there is none', () => {
  vi.stubEnv(VARIABLE, undefined);
  const tell = served();
  tell('/chosen');
  tell(null);
  expect(VARIABLE in process.env).toBe(false);
});
