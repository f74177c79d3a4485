import { rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CancellationToken, CancellationTokenSource } from 'vscode-jsonrpc/node';
import { Generators } from '../../../server/generator/generators.ts';
import type { Generation, ModelChoice } from '../../../server/protocol/generation.ts';
import { run, TinyRuns } from '../../engine/train/tiny-run.ts';
import { BuiltCli } from '../../support/built-cli.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let built: BuiltCli;
let tiny: TinyRuns;
let adapter: string;

beforeAll(async () => {
  built = await BuiltCli.build();
  tiny = await TinyRuns.create(built.folder);
  const config = tiny.config({ training: { max_steps: 10, learning_rate: 0.1 } });
  await run(config);
  adapter = config.training.output_dir;
});

afterAll(() => built.remove());

function open({
  script = path.join(built.folder, 'out/generator.js'),
  idleMs = 60_000,
}: {
  script?: string;
  idleMs?: number;
} = {}): Generators {
  const generators = new Generators(script, idleMs);
  onTestFinished(() => generators.dispose());
  return generators;
}

let count = 0;

interface Wish extends Partial<Omit<Generation, 'id'>> {
  readonly model?: string;
  readonly quantization?: ModelChoice['quantization'];
  readonly token?: CancellationToken;
  readonly onPiece?: (text: string) => void;
}

function write(
  generators: Generators,
  { model, quantization = null, token, onPiece, ...given }: Wish = {},
) {
  const options = { max_new_tokens: 12, seed: 1, temperature: 1, ...given.options };
  const generation = { adapter: null, prompt: { turn: 'Hi' }, ...given, options };
  return generators.generate({
    generation: { id: String(count++), ...generation },
    choice: { model: model ?? tiny.model, device: 'cpu', quantization },
    onPiece: onPiece ?? (() => undefined),
    onProgress: () => undefined,
    token: token ?? CancellationToken.None,
  });
}

describe('a model', () => {
  test('counts tokens as it reads them', async () => {
    const generators = open();
    const text = 'Hi there';
    const { promptTokens } = await write(generators, { prompt: { text } });
    const choice = { model: tiny.model, device: 'cpu', quantization: null };
    const count = await generators.countTokens(choice, text, CancellationToken.None);
    expect(count).toBe(promptTokens);
    expect(generators.count).toBe(1);
  });

  test('streams what it answers, the same for the same seed', async () => {
    const generators = open();
    const pieces: string[] = [];
    const answer = await write(generators, { onPiece: (text) => pieces.push(text) });
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join('')).toBe(answer.text);
    expect(answer).toMatchObject({ generatedTokens: 12, finishReason: 'length' });
    expect(answer.promptTokens).toBeGreaterThan(2);
    expect(answer.tokensPerSecond).toBeGreaterThan(0);
    expect((await write(generators)).text).toBe(answer.text);
    // Without the chat template the prompt is two bytes long.
    expect((await write(generators, { prompt: { text: 'Hi' } })).promptTokens).toBe(2);
  });

  test('writes with and without an adapter at the same time, in one process', async () => {
    const generators = open();
    const [base, tuned, again] = await Promise.all([
      write(generators),
      write(generators, { adapter }),
      write(generators),
    ]);
    expect(generators.count).toBe(1);
    expect(tuned.text).not.toBe(base.text);
    expect(again.text).toBe(base.text);
    const checkpoint = path.join(adapter, 'checkpoint-10');
    expect((await write(generators, { adapter: checkpoint })).text).toBe(tuned.text);
  });

  test('writes by quantized weights too, in a process of its own', async () => {
    vi.stubEnv('XDG_CACHE_HOME', await tempFolder());
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const generators = open();
    const [stored, quantized] = await Promise.all([
      write(generators),
      write(generators, { quantization: { doubleQuant: false } }),
    ]);
    expect(generators.count).toBe(2);
    expect(quantized.text).not.toBe(stored.text);
  });

  test('can be stopped between two tokens', async () => {
    const generators = open();
    const source = new CancellationTokenSource();
    let pieces = 0;
    const answer = await write(generators, {
      options: { max_new_tokens: 200 },
      token: source.token,
      onPiece: () => {
        pieces += 1;
        if (pieces === 3) source.cancel();
      },
    });
    expect(answer.finishReason).toBe('abort');
    expect(answer.generatedTokens).toBeLessThan(200);
    expect((await write(generators)).finishReason).toBe('length');
  });

  test('leaves the memory when nobody uses it', async () => {
    const generators = open({ idleMs: 10 });
    await write(generators);
    await vi.waitFor(() => expect(generators.count).toBe(0));
    expect((await write(generators)).generatedTokens).toBe(12);
  });
});

describe('what goes wrong', () => {
  test('the reason is told, and the model goes on', async () => {
    const generators = open();
    await expect(write(generators, { adapter: '/nowhere' })).rejects.toMatchObject({
      message: expect.stringContaining('/nowhere') as string,
      data: { code: 'adapter.not_found' },
    });
    await expect(write(generators, { options: { top_p: 7 } })).rejects.toMatchObject({
      data: { code: 'usage.invalid' },
    });
    expect((await write(generators)).finishReason).toBe('length');
    expect(generators.count).toBe(1);
  });

  test('a model that cannot be opened is tried anew the next time', async () => {
    const generators = open();
    const model = tiny.fresh('moved');
    await expect(write(generators, { model })).rejects.toMatchObject({
      data: { code: 'model.not_found' },
    });
    await vi.waitFor(() => expect(generators.count).toBe(0));
    await rename(tiny.model, model);
    onTestFinished(() => rename(model, tiny.model));
    expect((await write(generators, { model })).finishReason).toBe('length');
  });

  test.each([
    ['crash-at-start', 'ended (exit code 3: out of memory)'],
    ['crash-later', 'ended (SIGABRT: terminate called)'],
    ['no-program', 'ended (exit code 1'],
  ])('%s', async (name, message) => {
    const script = path.join(import.meta.dirname, `misbehaving/${name}.mjs`);
    const generators = open({ script });
    await expect(write(generators)).rejects.toMatchObject({
      code: 'generation.crashed',
      message: expect.stringContaining(message) as string,
    });
    await vi.waitFor(() => expect(generators.count).toBe(0));
  });
});
