import { readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { openBaseModel, openTokenizer } from '../../../engine/models/base-model.ts';
import { loadRunTokenizer } from '../../../engine/plan/run-tokenizer.ts';
import { finishRun } from '../../../engine/train/finish-run.ts';
import { whereItIsNow } from '../../../engine/train/moved-run.ts';
import { readExamples } from '../../../engine/train/run-examples.ts';
import { LoadedModel } from '../../../server/generator/loaded-model.ts';
import { runContents } from '../../../server/runs/run-contents.ts';
import { run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

const TEMPLATE =
  '{% for m in messages %}<{{ m.role }}>{% if m.role == "assistant" %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';

const kept = (folder: string) => readFile(path.join(folder, 'chat_template.jinja'), 'utf8');

test('a template of a file is learned by, and goes with the adapter wherever that goes', async () => {
  const file = await tiny().file('own.jinja', TEMPLATE);
  const config = tiny().config({
    data: { chat_template: 'own.jinja' },
    training: { max_steps: 2, save_steps: 1 },
  });
  expect(config.data.chat_template).toBe(file);
  await run(config);
  const { output_dir: folder } = config.training;
  const checkpoint = path.join(folder, 'checkpoint-1');
  expect(await kept(folder)).toBe(TEMPLATE);
  expect(await kept(checkpoint)).toBe(TEMPLATE);
  expect((await runContents(folder)).others).toEqual([]);
  expect(await readExamples(folder)).toMatchObject({ isChat: true });

  // Asked through the template that lies beside it.
  const model = await LoadedModel.open(
    { model: tiny().model, device: 'cpu', quantization: null },
    () => undefined,
  );
  const ask = async (adapter: string | null): Promise<number> => {
    const options = { max_new_tokens: 1 };
    const prompt = { turn: 'Hi' };
    const { signal } = new AbortController();
    return (await model.generate({ adapter, prompt, options }, signal, () => undefined))
      .promptTokens;
  };
  const base = await openTokenizer(tiny().model);
  const own = await loadRunTokenizer(config, base);
  const messages = [{ role: 'user', content: 'Hi' }];
  const rendered = own.applyChatTemplate(messages, { addGenerationPrompt: true });
  expect(rendered).toBe('<user>Hi<assistant>');
  expect(await ask(folder)).toBe(rendered.length);
  expect(await ask(null)).not.toBe(rendered.length);

  // A checkpoint that is made the result brings it along.
  await rm(path.join(folder, 'chat_template.jinja'));
  await finishRun(folder, checkpoint, { loss: 1, eval_loss: 1 });
  expect(await kept(folder)).toBe(TEMPLATE);
});

test('an adapter of a run without one has none, even where another had been', async () => {
  const config = tiny().config({ data: { chat_template: TEMPLATE } });
  await run(config);
  const { output_dir: folder } = config.training;
  expect(await kept(folder)).toBe(TEMPLATE);
  const { config: decoder } = await openBaseModel(tiny().model);
  expect((await loadAdapter(folder, decoder)).chatTemplate?.text).toBe(TEMPLATE);

  const plain = tiny().config();
  await run(plain);
  await expect(kept(plain.training.output_dir)).rejects.toThrow('ENOENT');
  expect((await loadAdapter(plain.training.output_dir, decoder)).chatTemplate).toBe(undefined);
});

test('a whole model is saved with it', async () => {
  const config = tiny().config({ data: { chat_template: TEMPLATE }, training: { method: 'full' } });
  await run(config);
  expect(await kept(config.training.output_dir)).toBe(TEMPLATE);
});

test('a run that was moved finds the template beside it, and one that is gone is told', async () => {
  const file = await tiny().file('moved.jinja', TEMPLATE);
  const config = tiny().config({ data: { chat_template: 'moved.jinja' } });
  const base = await openTokenizer(tiny().model);
  await rename(file, `${file}.gone`);
  await expect(loadRunTokenizer(config, base)).rejects.toMatchObject({
    code: 'data.chat_template',
    message: expect.stringMatching(
      /moved\.jinja cannot be read .*; check the path in data\.chat_template/,
    ),
  });
  await rename(`${file}.gone`, file);
  const elsewhere = {
    ...config,
    data: { ...config.data, chat_template: '/nowhere/moved.jinja' },
    training: { ...config.training, output_dir: '/nowhere/run' },
  };
  const moved = whereItIsNow(elsewhere, config.training.output_dir);
  expect(moved.data.chat_template).toBe(file);
});

test('it runs within the limits of all templates', async () => {
  const endless = '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}';
  const config = tiny().config({ data: { chat_template: endless } });
  const tokenizer = await loadRunTokenizer(config, await openTokenizer(tiny().model), {
    seconds: 0.2,
  });
  expect(() => tokenizer.applyChatTemplate([], { addGenerationPrompt: true })).toThrow(
    /The chat template of data\.chat_template took more than 1 seconds/,
  );
});

test('rows that go through no template refuse one', async () => {
  const rows = await tiny().file('text.jsonl', '{"text": "plain"}\n');
  const config = tiny().config({ data: { dataset_name_or_path: rows, chat_template: TEMPLATE } });
  await expect(run(config)).rejects.toMatchObject({
    code: 'config.contradiction',
    message: expect.stringMatching(/data\.chat_template is given, but the rows \(text\)/),
  });
});
