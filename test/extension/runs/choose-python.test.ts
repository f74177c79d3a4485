import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { choosePython } from '../../../extension/runs/choose-python.ts';
import manifest from '../../../package.json' with { type: 'json' };
import { installed, shown, Uri, window, workspace } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const FILE = '/somewhere/tune.lorafa.json';
const log = window.createOutputChannel('log') as never;

/** Installs a Python extension in which `path` is active, whose program is `program`. */
function selectInterpreter(path: string, program: string | undefined): void {
  const environments = {
    getActiveEnvironmentPath: ({ fsPath }: { readonly fsPath: string }) => ({
      path: `${path} of ${fsPath}`,
    }),
    resolveEnvironment: async (active: { path: string }) =>
      active.path === `${path} of ${FILE}`
        ? { executable: { uri: program === undefined ? undefined : Uri.file(program) } }
        : undefined,
  };
  installed.set('ms-python.python', { activate: async () => ({ environments }) });
}

beforeEach(() => {
  installed.clear();
  shown.length = 0;
});

afterEach(() => {
  vi.restoreAllMocks();
});

test('the interpreter is that of the Python extension for the folder, as far as there is one', async () => {
  expect(await choosePython(FILE, log)).toBe(null);
  selectInterpreter('conda', '/envs/tune/bin/python');
  expect(await choosePython(FILE, log)).toBe('/envs/tune/bin/python');
  selectInterpreter('conda', undefined);
  expect(await choosePython(FILE, log)).toBe(null);
  expect(shown).toEqual([]);
});

test('the setting comes first, and is none that a folder can bring', async () => {
  selectInterpreter('conda', '/envs/tune/bin/python');
  const get = (name: string) => (name === 'accelerate.python' ? ' /set/python ' : undefined);
  vi.spyOn(workspace, 'getConfiguration').mockReturnValue({ get } as never);
  expect(await choosePython(FILE, log)).toBe('/set/python');
  const { properties } = manifest.contributes.configuration;
  expect(properties['lorafa.accelerate.python'].scope).toBe('machine');
});

test.each([7, null, { path: '/set/python' }, ' '])('a setting of %j is none', async (setting) => {
  vi.spyOn(workspace, 'getConfiguration').mockReturnValue({ get: () => setting } as never);
  expect(await choosePython(FILE, log)).toBe(null);
  selectInterpreter('conda', '/envs/tune/bin/python');
  expect(await choosePython(FILE, log)).toBe('/envs/tune/bin/python');
});

test('a Python extension that fails chooses nothing, which the log says', async () => {
  installed.set('ms-python.python', { activate: async () => ({}) });
  expect(await choosePython(FILE, log)).toBe(null);
  expect(shown).toMatchObject([{ to: 'warn', args: [expect.stringContaining('interpreter')] }]);
});
