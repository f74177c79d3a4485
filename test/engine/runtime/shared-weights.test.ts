import { readFile, realpath, rename, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeBatch } from '../../../engine/data/batches.ts';
import { GenerationSessions } from '../../../engine/generate/generation-sessions.ts';
import { GraphBuilder } from '../../../engine/graph/builder.ts';
import type { Graph } from '../../../engine/graph/graph.ts';
import { Session } from '../../../engine/runtime/session.ts';
import { SharedFile } from '../../../engine/runtime/shared-file.ts';
import { SharedWeights } from '../../../engine/runtime/shared-weights.ts';
import { BatchRunner } from '../../../engine/step/batch-runner.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { goldenCase, goldenRunner, zeroGradients } from '../train/golden-case.ts';

/** Bytes before the weight: an odd number, which no header has to avoid. */
const OFFSET = 101;

/** A file with a weight of four numbers, and a graph that tells them. */
async function weightFile(values: readonly number[] = [1, 2, 3, 4]) {
  const folder = await realpath(await tempFolder());
  const file = path.join(folder, 'w.safetensors');
  await writeFile(file, bytesOf(values));
  return { folder, file, graph: graphOf(OFFSET, 16) };
}

function bytesOf(values: readonly number[]): Uint8Array {
  const numbers = Float32Array.from(values);
  return Buffer.concat([Buffer.alloc(OFFSET), new Uint8Array(numbers.buffer)]);
}

function graphOf(offset: number, length: number): Graph {
  const b = new GraphBuilder();
  const weight = b.weight('w', 'float32', [2, 2], { file: 'w.safetensors', offset, length });
  return b.finish({ y: b.neg(weight) });
}

async function opened(graph: Graph, folder: string): Promise<Session> {
  const session = await Session.create(graph, { threads: 1, weightsFolder: folder });
  onTestFinished(() => session.release());
  return session;
}

async function told(session: Session): Promise<number[]> {
  return Array.from((await session.run({}))['y']!.data, Number);
}

/** How often a file is mapped in this process. */
async function mappings(file: string): Promise<number> {
  const maps = await readFile('/proc/self/maps', 'utf8');
  return maps.split('\n').filter((line) => line.endsWith(` ${file}`)).length;
}

const onLinux = describe.runIf(process.platform === 'linux');

onLinux('a file of weights is in memory once', () => {
  test('for three batch shapes, evaluations and answers; and no longer than they', async () => {
    const { model, ...reference } = await goldenCase('lorafa-all-linear');
    const { folder, names } = model.weights.files();
    expect(names).toHaveLength(1);
    const file = path.join(folder, names[0]!);
    const before = await mappings(file);

    const { trainee, runner } = await goldenRunner({ model, ...reference });
    const evaluator = new BatchRunner({
      model,
      modules: trainee.modules,
      trainable: [],
      trainBase: false,
      dropout: 0,
      tensors: trainee.tensors,
      session: { threads: 1, weightsFolder: folder },
    });
    const answers = new GenerationSessions(model, { threads: 1 });
    for (const length of [8, 16, 24]) {
      const inputIds = Int32Array.from({ length }, (_, i) => i);
      const supervised = new Uint8Array(length).fill(1, 1);
      const row = { inputIds, supervised, truncated: false, file: 'rows.jsonl', line: 0 };
      const batch = makeBatch([[row]], length, 0);
      await runner.run(batch, 1, 0, zeroGradients(trainee));
      await evaluator.run(batch, 1, 0, new Map());
    }
    await answers.sequence(null);
    expect(await mappings(file)).toBe(before + 1);

    await runner.release();
    await evaluator.release();
    expect(await mappings(file)).toBe(before + 1);
    await answers.release();
    expect(await mappings(file)).toBe(before);
  });

  test('and not after a session that could not be made', async () => {
    const { folder, file } = await weightFile();
    const b = new GraphBuilder();
    const weight = b.weight('w', 'bfloat16', [8], {
      file: 'w.safetensors',
      offset: OFFSET,
      length: 16,
    });
    // No processor computes with these.
    const created = Session.create(b.finish({ y: b.cast(b.sqrt(weight), 'float32') }), {
      weightsFolder: folder,
    });
    await expect(created).rejects.toMatchObject({ code: 'device.failed' });
    expect(await mappings(file)).toBe(0);
  });
});

test('weights lie at any offset, and sessions read the same memory', async () => {
  const { folder, file, graph } = await weightFile();
  const sessions = [await opened(graph, folder), await opened(graph, folder)];
  for (const session of sessions) expect(await told(session)).toEqual([-1, -2, -3, -4]);
  const [first, second] = [SharedFile.open(file), SharedFile.open(file)];
  expect(first.at(OFFSET, 16)).toBe(second.at(OFFSET, 16));
  first.release();
  second.release();
});

describe('a file that changes while it is used', () => {
  test('and is removed stays for the sessions that there are', async () => {
    const { folder, file, graph } = await weightFile();
    const session = await opened(graph, folder);
    await rm(file);
    expect(await told(session)).toEqual([-1, -2, -3, -4]);
    await expect(opened(graph, folder)).rejects.toMatchObject({
      code: 'model.not_found',
      location: { file },
    });
  });

  test('and is replaced is another file', async () => {
    const { folder, file, graph } = await weightFile();
    const before = await opened(graph, folder);
    await writeFile(`${file}.new`, bytesOf([5, 6, 7, 8]));
    await rename(`${file}.new`, file);
    const after = await opened(graph, folder);
    expect(await told(before)).toEqual([-1, -2, -3, -4]);
    expect(await told(after)).toEqual([-5, -6, -7, -8]);
  });

  test('and is cut is refused by name before anything looks at what is gone', async () => {
    const { folder, file, graph } = await weightFile();
    await truncate(file, OFFSET + 15);
    await expect(opened(graph, folder)).rejects.toMatchObject({
      code: 'model.corrupt',
      message: expect.stringContaining(`${file} has 116 bytes where a weight ends at byte 117`),
      location: { file, offset: OFFSET },
    });
    await truncate(file, 0);
    await expect(opened(graph, folder)).rejects.toMatchObject({ code: 'model.corrupt' });
  });
});

describe('a mistake of the caller is named', () => {
  test('a weight whose bytes do not fill its shape', async () => {
    const { folder } = await weightFile();
    await expect(opened(graphOf(OFFSET, 12), folder)).rejects.toMatchObject({
      code: 'internal.graph',
      message: expect.stringContaining('w has 12 bytes where float32 [2, 2] has 16'),
    });
  });

  test('a file that is used after its release', async () => {
    const { file } = await weightFile();
    const shared = SharedFile.open(file);
    const other = SharedFile.open(file);
    shared.release();
    shared.release();
    expect(() => shared.at(0, 1)).toThrow(
      expect.objectContaining({ code: 'internal.graph', message: expect.stringContaining(file) }),
    );
    // Two releases of one are not the release of the other.
    expect(other.at(OFFSET, 16)).toBeGreaterThan(0n);
    other.release();
  });

  test('weights that are given to a session after their release', async () => {
    const { folder, graph } = await weightFile();
    const weights = SharedWeights.of(graph, folder);
    weights.release();
    weights.release();
    expect(() => weights.addTo(0n)).toThrow(expect.objectContaining({ code: 'internal.graph' }));
  });
});
