import { rmSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, LorafaError } from '../../../engine/errors.ts';
import type { TrainEvent } from '../../../engine/train/events.ts';
import { exitCodeOf } from '../../../server/cli/exit-codes.ts';
import { type ConfigChanges, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

/** Runs into an error; checks that it is one sentence and that nothing was written. */
async function refusal(changes: ConfigChanges): Promise<LorafaError> {
  const config = tiny().config(changes);
  const { output_dir: output } = config.training;
  const before = await readdir(tiny().folder, { recursive: true });
  const error: unknown = await run(config).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LorafaError);
  const { message } = error as LorafaError;
  expect(message).toMatch(/^\S[^\n]*\.$/);
  // One sentence: no full stop is followed by another.
  expect(message).not.toMatch(/[a-z]\. [A-Z]/);
  expect(await readdir(tiny().folder, { recursive: true })).toEqual(before);
  await expect(readdir(output)).rejects.toThrow(/ENOENT|ENOTDIR/);
  return error as LorafaError;
}

/** A copy of the model whose weights file is changed by `edit`. */
async function brokenModel(
  edit: (file: string, bytes: Buffer) => Promise<void>,
): Promise<{ readonly folder: string; readonly file: string; readonly changes: ConfigChanges }> {
  const folder = tiny().fresh('model');
  await cp(tiny().model, folder, { recursive: true });
  const file = path.join(folder, 'model.safetensors');
  await edit(file, await readFile(file));
  return { folder, file, changes: { model: { base_model_name_or_path: folder } } };
}

/** The bytes of a safetensors file with its header edited as text; offsets stay as they are. */
function withHeader(bytes: Buffer, edit: (header: string) => string): Buffer {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = Buffer.from(edit(bytes.toString('utf8', 8, 8 + length)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, bytes.subarray(8 + length)]);
}

const NORM = 'model.norm.weight';

describe('weights', () => {
  test.each<[string, (file: string, bytes: Buffer) => Promise<void>, ErrorCode, string[]]>([
    [
      'missing',
      (file) => rm(file),
      'model.not_found',
      ['model.safetensors', 'download the safetensors weights'],
    ],
    [
      'truncated',
      (file, bytes) => writeFile(file, bytes.subarray(0, -1000)),
      'model.corrupt',
      ['model.safetensors is damaged at byte'],
    ],
    ['empty', (file) => writeFile(file, ''), 'model.corrupt', ['model.safetensors is damaged']],
    [
      'of a wrong type',
      (file, bytes) =>
        writeFile(
          file,
          withHeader(bytes, (header) =>
            header.replace(/("model\.norm\.weight":\{"dtype":)"F32"/, '$1"I32"'),
          ),
        ),
      'model.unsupported',
      [NORM, 'holds I32', 'F32, F16 and BF16'],
    ],
    [
      'of a wrong shape',
      (file, bytes) =>
        writeFile(
          file,
          withHeader(bytes, (header) =>
            header.replace(/("model\.norm\.weight":\{[^}]*"shape":)\[32\]/, '$1[4,8]'),
          ),
        ),
      'model.shape_mismatch',
      [NORM, '[4, 8]', '[32]'],
    ],
    [
      'that are not all there',
      (file, bytes) =>
        writeFile(
          file,
          withHeader(bytes, (header) => header.replace('model.norm.weight', 'model.form.weight')),
        ),
      'model.missing_tensor',
      [`no tensor "${NORM}" of shape [32]`],
    ],
    [
      'whose header says it is longer than the file',
      (file, bytes) => {
        bytes.writeBigUInt64LE(10n ** 7n, 0);
        return writeFile(file, bytes);
      },
      'model.corrupt',
      ['is damaged at byte 0'],
    ],
    [
      'whose header lies about an offset',
      (file, bytes) =>
        writeFile(
          file,
          withHeader(bytes, (header) =>
            header.replace(/"data_offsets":\[(\d+),(\d+)\]\}\}/, '"data_offsets":[$1,999999999]}}'),
          ),
        ),
      'model.corrupt',
      ['is damaged at byte'],
    ],
    [
      'that hold NaN',
      (file, bytes) => {
        bytes.writeFloatLE(Number.NaN, bytes.length - 4);
        return writeFile(file, bytes);
      },
      'model.not_finite',
      ['holds NaN or infinity (element'],
    ],
    [
      'that hold infinity',
      (file, bytes) => {
        bytes.writeFloatLE(Number.NEGATIVE_INFINITY, bytes.length - 400);
        return writeFile(file, bytes);
      },
      'model.not_finite',
      ['holds NaN or infinity (element'],
    ],
  ])('%s', async (_, edit, code, words) => {
    const { folder, changes } = await brokenModel(edit);
    const error = await refusal(changes);
    expect(error.code).toBe(code);
    expect(exitCodeOf(error.code)).toBeGreaterThan(0);
    for (const word of [folder, ...words]) expect(error.message).toContain(word);
  });

  test('of a model that is not there', async () => {
    const error = await refusal({ model: { base_model_name_or_path: './nowhere' } });
    expect(error.code).toBe('model.not_found');
    expect(error.message).toContain(path.join(tiny().folder, 'nowhere'));
  });
});

test('weights that vanish while the run starts end it in order', async () => {
  const { file, changes } = await brokenModel(async () => undefined);
  const config = tiny().config(changes);
  const onEvent = ({ type }: TrainEvent): void => {
    if (type === 'started') rmSync(file);
  };
  await expect(run(config, { onEvent })).rejects.toMatchObject({ code: 'model.not_found' });
  expect((await readdir(config.training.output_dir)).toSorted()).toEqual([
    'events.jsonl',
    'examples.json',
    'run.json',
  ]);
});

describe('data', () => {
  const good = '{"question":"Hi","answer":"Hello"}\n';

  test.each<[string, string, string | Uint8Array, ErrorCode, string[]]>([
    ['that is empty', 'empty.jsonl', '', 'data.empty', ['not a single row']],
    ['of blank lines', 'blank.jsonl', '\n\n  \n', 'data.empty', ['not a single row']],
    [
      'without a column that says what is learned',
      'columns.jsonl',
      '{"foo":"1","bar":"2"}\n',
      'data.missing_column',
      ['foo', 'bar'],
    ],
    [
      'with a row that lacks the column',
      'row.jsonl',
      `${good}{"question":"Hi"}\n`,
      'data.bad_rows',
      ['row.jsonl:2', 'max_bad_rows'],
    ],
    [
      'that is not UTF-8',
      'latin1.jsonl',
      Buffer.from('{"question":"Gr\xfc\xdfe","answer":"Hi"}\n', 'latin1'),
      'data.corrupt',
      ['latin1.jsonl:1', 'UTF-8'],
    ],
    [
      'that is not JSON',
      'broken.jsonl',
      `${good}{"question": \n`,
      'data.corrupt',
      ['broken.jsonl:2'],
    ],
    [
      'whose one row is a prompt beyond max_length',
      'giant.jsonl',
      `${JSON.stringify({ question: 'a'.repeat(2_000_000), answer: 'b' })}\n`,
      'data.no_supervision',
      ['giant.jsonl:1', 'max_length'],
    ],
  ])('%s', async (_, name, content, code, words) => {
    const file = await tiny().file(name, content);
    const error = await refusal({ data: { dataset_name_or_path: file } });
    expect(error.code).toBe(code);
    for (const word of [file, ...words]) expect(error.message).toContain(word);
  });

  test('that is not there', async () => {
    const error = await refusal({ data: { dataset_name_or_path: 'gone.jsonl' } });
    expect(error.code).toBe('data.not_found');
    expect(error.message).toContain(path.join(tiny().folder, 'gone.jsonl'));
  });

  test('a giant row among good ones is cut, and told of', async () => {
    const giant = { question: 'Say a.', answer: 'a'.repeat(2_000_000) };
    const file = await tiny().file('mixed.jsonl', `${good}${JSON.stringify(giant)}\n`);
    const { events } = await run(tiny().config({ data: { dataset_name_or_path: file } }));
    expect(events).toContainEqual({
      type: 'warning',
      message: expect.stringContaining('1 row was cut at max_length'),
    });
  });

  test('held-out rows that leave nothing to train on are refused', async () => {
    const error = await refusal({ data: { eval_split: 7 } });
    expect(error.code).toBe('config.invalid_value');
    expect(error.message).toContain('data.eval_split');
  });
});

test('a prompt that the chat template refuses is found before the first step', async () => {
  const { folder, changes } = await brokenModel(async () => undefined);
  const file = path.join(folder, 'tokenizer_config.json');
  const tokenizer = JSON.parse(await readFile(file, 'utf8')) as object;
  const refusing = { ...tokenizer, chat_template: "{{ raise_exception('No turns, please') }}" };
  await writeFile(file, JSON.stringify(refusing));
  const rows = await tiny().file('texts.jsonl', '{"text": "Up and down."}\n');
  const error = await refusal({
    ...changes,
    data: { dataset_name_or_path: rows },
    training: { sample_prompts: ['Hi'] },
  });
  expect(error.code).toBe('data.chat_template');
  expect(error.message).toContain('No turns, please');
});

describe('adapters', () => {
  test.each<[string, Partial<NonNullable<ConfigChanges['lora']>>, ErrorCode, string[]]>([
    [
      'for layers that the model has not',
      { target_modules: ['query_key_value'] },
      'adapter.no_target',
      ['"query_key_value"', 'q_proj'],
    ],
    [
      'for an expression that matches nothing',
      { target_modules: '.*attention.*' },
      'adapter.no_target',
      ['".*attention.*"'],
    ],
    [
      'of a rank beyond the layer',
      { r: 33, target_modules: ['q_proj'] },
      'adapter.rank_too_large',
      ['Rank 33', 'model.layers.0.self_attn.q_proj', 'at most 32'],
    ],
    [
      'that start from nowhere',
      { init_adapter: 'no-adapter' },
      'adapter.not_found',
      ['no-adapter'],
    ],
  ])('%s', async (_, lora, code, words) => {
    const error = await refusal({ lora });
    expect(error.code).toBe(code);
    for (const word of words) expect(error.message).toContain(word);
  });

  test('that do not fit the model', async () => {
    const small = tiny().config();
    await run(small);
    const folder = tiny().fresh('adapter');
    await cp(small.training.output_dir, folder, { recursive: true });
    const file = path.join(folder, 'adapter_config.json');
    const json = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...json, r: 3 }));
    const error = await refusal({ lora: { init_adapter: folder } });
    expect(error.code).toBe('adapter.mismatch');
    expect(error.message).toContain('0 of 4 modules matched');
  });
});

describe('an output folder that cannot be written', () => {
  const read = async (file: string): Promise<string> => String(await readFile(file));

  test('because a part of its path is a file', async () => {
    const file = await tiny().file('note.txt', 'mine');
    const output_dir = path.join(file, 'run');
    const error = await refusal({ training: { output_dir } });
    expect(error.code).toBe('output.not_writable');
    expect(error.message).toContain(output_dir);
    expect(await read(file)).toBe('mine');
  });

  test('is found out before anything else is looked at', async () => {
    const taken = tiny().fresh('taken');
    await cp(tiny().model, taken, { recursive: true });
    const config = tiny().config({
      model: { base_model_name_or_path: 'nowhere' },
      training: { output_dir: taken },
    });
    await expect(run(config)).rejects.toMatchObject({ code: 'output.not_writable' });
  });

  test('because it is a file', async () => {
    const file = await tiny().file('taken', 'mine');
    const config = tiny().config({ training: { output_dir: file } });
    await expect(run(config)).rejects.toMatchObject({
      code: 'output.not_writable',
      message: expect.stringContaining(file),
    });
    expect(await read(file)).toBe('mine');
  });

  test.runIf(process.platform === 'linux')('because the system does not let anyone', async () => {
    const error = await refusal({ training: { output_dir: '/proc/lorafa-run' } });
    expect(error.code).toBe('output.not_writable');
    expect(error.message).toContain('/proc/lorafa-run');
  });

  test.runIf(process.platform !== 'win32' && process.getuid?.() !== 0)(
    'because it is read-only',
    async () => {
      const parent = tiny().fresh('locked');
      await mkdir(parent, { mode: 0o555 });
      const error = await refusal({ training: { output_dir: path.join(parent, 'run') } });
      expect(error.code).toBe('output.not_writable');
      expect(error.message).toContain('permission');
    },
  );
});

test('a device that is not there is named, and no other is taken', async () => {
  const error = await refusal({ engine: { device: 'cuda:7' } });
  expect(error.code).toBe('device.unavailable');
  expect(error.message).toContain('cuda:7');
});
