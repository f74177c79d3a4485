import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { longTextLength } from '../../../engine/architectures/rotary-embedding.ts';
import { generateTokens } from '../../../engine/generate/generate-tokens.ts';
import { resolveGenerationOptions } from '../../../engine/generate/generation-options.ts';
import type {
  GenerationSessions,
  RuntimeAdapter,
} from '../../../engine/generate/generation-sessions.ts';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { Random } from '../../../engine/random.ts';
import { goldenJson, goldenPath, goldenTensors, relativeError } from '../../support/golden.ts';
import { goldenModel, range, withSessions } from './golden-model.ts';

interface Row {
  /** Without padding. */
  readonly ids: number[];
  /** With it: what transformers takes for the length of the text. */
  readonly length: number;
  /** `[ids, vocab]` */
  readonly logits: number[];
}

/** The rows of `[rows, length]` tokens and `[rows, length, vocab]` logits up to their padding. */
function rowsOf(
  tokens: ArrayLike<number>,
  mask: ArrayLike<number>,
  logits: { data: ArrayLike<number>; shape: readonly number[] },
): Row[] {
  const [rows, length, vocab] = logits.shape as [number, number, number];
  return range(rows).map((row) => {
    const at = row * length;
    const real = range(length).filter((i) => mask[at + i] === 1).length;
    return {
      ids: range(real).map((i) => tokens[at + i]!),
      length,
      logits: range(real * vocab).map((i) => logits.data[at * vocab + i]!),
    };
  });
}

async function modelRows(name: string): Promise<Row[]> {
  const golden = await goldenTensors('models', name, 'golden.safetensors');
  const { data: tokens } = golden.get('input_ids')!;
  return rowsOf(tokens, golden.get('attention_mask')!.data, golden.get('logits')!);
}

/** The logits of all tokens when they are read in runs of a size, of a text that is so long or grows. */
async function readInRuns(
  sessions: GenerationSessions,
  ids: readonly number[],
  size: number,
  { length, adapter = null }: { length?: number; adapter?: RuntimeAdapter | null } = {},
): Promise<number[]> {
  const sequence = await sessions.sequence(adapter);
  const logits: number[] = [];
  for (let at = 0; at < ids.length; at += size) {
    const run = ids.slice(at, at + size);
    logits.push(...(await sequence.append(run, range(run.length), length)));
  }
  expect(sequence.length).toBe(ids.length);
  return logits;
}

describe('logits of transformers', () => {
  test.each(readdirSync(goldenPath('models')))(
    '%s, whole, in chunks and token by token',
    async (name) => {
      const rows = await modelRows(name);
      const model = await goldenModel(name);
      await withSessions(model, async (sessions) => {
        for (const { ids, length, logits } of rows) {
          for (const size of [ids.length, 5, 1]) {
            const read = await readInRuns(sessions, ids, size, { length });
            expect(relativeError(read, logits)).toBeLessThan(1e-4);
          }
        }
      });
    },
  );

  test.each(readdirSync(goldenPath('models')))(
    '%s goes on with the same tokens, token by token',
    async (name) => {
      const golden = await goldenTensors('models', name, 'golden.safetensors');
      const greedy = Array.from(golden.get('greedy')!.data, Number);
      const model = await goldenModel(name);
      await withSessions(model, async (sessions) => {
        const prompt = greedy.slice(0, 6);
        const sampling = resolveGenerationOptions({
          temperature: 0,
          repetition_penalty: 1,
          max_new_tokens: greedy.length - prompt.length,
        });
        const tokens = generateTokens({
          sequence: await sessions.sequence(null),
          config: model.config,
          promptIds: prompt,
          sampling,
          eosIds: [],
        });
        const generated: number[] = [];
        for await (const { token } of tokens) generated.push(token);
        expect(generated).toEqual(greedy.slice(prompt.length));
      });
    },
  );

  test('only the rows that are asked for are computed', async () => {
    const [{ ids, logits }] = (await modelRows('llama2')) as [Row];
    const model = await goldenModel('llama2');
    const { vocabSize } = model.config;
    await withSessions(model, async (sessions) => {
      const sequence = await sessions.sequence(null);
      expect(await sequence.append(ids.slice(0, 4), [])).toHaveLength(0);
      const picked = await sequence.append(ids.slice(4), [3, 0]);
      const row = (i: number): number[] => logits.slice(i * vocabSize, (i + 1) * vocabSize);
      expect(relativeError(picked, [...row(7), ...row(4)])).toBeLessThan(1e-4);
    });
  });
});

describe('a text that grows', () => {
  test('is read again when it becomes a long one (LongRoPE)', async () => {
    const [{ ids, logits }] = (await modelRows('phi3-long')) as [Row];
    const model = await goldenModel('phi3-long');
    const short = (longTextLength(model.config)! - 1) * model.config.vocabSize;
    expect(short).toBeGreaterThan(0);
    await withSessions(model, async (sessions) => {
      for (const size of [5, 1]) {
        const read = await readInRuns(sessions, ids, size);
        expect(relativeError(read.slice(short), logits.slice(short))).toBeLessThan(1e-4);
        expect(relativeError(read.slice(0, short), logits.slice(0, short))).toBeGreaterThan(1e-2);
      }
    });
  });

  test('keeps what was read when its angles change with each token (dynamic NTK)', async () => {
    const [{ ids, logits }] = (await modelRows('llama-dynamic')) as [Row];
    const model = await goldenModel('llama-dynamic');
    const old = 16 * model.config.vocabSize;
    await withSessions(model, async (sessions) => {
      const read = await readInRuns(sessions, ids, 1);
      const whole = await readInRuns(sessions, ids.slice(0, 16), 16);
      expect(relativeError(read.slice(0, old), whole)).toBeLessThan(1e-5);
      // As in transformers: only a prompt is turned by the angles of its own length.
      expect(relativeError(read.slice(old), logits.slice(old))).toBeGreaterThan(1e-3);
    });
  });
});

describe('a long text', () => {
  test.each(['llama3-gqa', 'mistral-window'])(
    '%s: the cache grows and changes nothing',
    async (name) => {
      const model = await goldenModel(name);
      const config = { ...model.config, maxPositionEmbeddings: 320 };
      const random = new Random(1);
      const ids = range(300).map(() => random.below(config.vocabSize));
      await withSessions({ ...model, config }, async (sessions) => {
        const whole = await readInRuns(sessions, ids, ids.length);
        expect(relativeError(await readInRuns(sessions, ids, 128), whole)).toBeLessThan(1e-5);
        expect(relativeError(await readInRuns(sessions, ids, 3), whole)).toBeLessThan(1e-5);
      });
    },
  );
});

describe('logits of peft', () => {
  const cases = readdirSync(goldenPath('training')).filter((name) => !name.startsWith('full'));

  test.each(cases)('%s', async (name) => {
    const { model: modelName } = goldenJson<{ model: string }>('training', name, 'case.json');
    const model = await goldenModel(modelName);
    const adapter = await loadAdapter(goldenPath('training', name, 'adapter_init'), model.config);
    const data = await goldenTensors('training', name, 'data.safetensors');
    const golden = await goldenTensors('training', name, 'golden.safetensors');
    const expected = golden.get('initial_logits')!;
    const mask = data.get('attention_mask')!.data;
    await withSessions(model, async (sessions) => {
      for (const { ids, length, logits } of rowsOf(data.get('input_ids')!.data, mask, expected)) {
        for (const size of [ids.length, 1]) {
          const actual = await readInRuns(sessions, ids, size, { length, adapter });
          expect(relativeError(actual, logits)).toBeLessThan(1e-4);
        }
      }
    });
  });
});
