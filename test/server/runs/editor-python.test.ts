import { afterEach, expect, test, vi } from 'vitest';
import { pythonVariables } from '../../../server/runs/editor-python.ts';

const FILE = '/somewhere/tune.lorafa.json';
const ACCELERATE = { num_processes: 1, mixed_precision: 'no' } as const;

/** What a run is told where the editor's Python is `chosen`, and for which files the editor was asked. */
async function told(
  backend: 'onnxruntime' | 'accelerate',
  { python, chosen = '/editor/python' }: { python?: string; chosen?: string | null } = {},
) {
  const asked: (string | null)[] = [];
  const accelerate = python === undefined ? ACCELERATE : { ...ACCELERATE, python };
  const config = { engine: { backend }, accelerate } as Parameters<typeof pythonVariables>[0];
  const variables = await pythonVariables(config, FILE, async (file) => {
    asked.push(file);
    return chosen;
  });
  return { variables, asked };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

test("a run on Accelerate computes with the editor's Python, if there is one", async () => {
  vi.stubEnv('LORAFA_PYTHON', undefined);
  const variables = { LORAFA_PYTHON: '/editor/python' };
  expect(await told('accelerate')).toEqual({ variables, asked: [FILE] });
  expect(await told('accelerate', { chosen: null })).toEqual({ variables: {}, asked: [FILE] });
});

test('a configuration and the environment come before the editor, which other runs do not ask', async () => {
  vi.stubEnv('LORAFA_PYTHON', undefined);
  const nothing = { variables: {}, asked: [] };
  expect(await told('accelerate', { python: 'venv/bin/python' })).toEqual(nothing);
  expect(await told('onnxruntime')).toEqual(nothing);
  vi.stubEnv('LORAFA_PYTHON', '/environment/python');
  expect(await told('accelerate')).toEqual(nothing);
});
