import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ExportRequest, exportResult } from '../../../engine/export/export.ts';
import { ollamaTemplate, TEMPLATE_KINDS } from '../../../engine/export/ollama-template.ts';
import { openGguf } from '../../../engine/gguf/gguf.ts';
import { goldenJson } from '../../support/golden.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { writeTinyModel } from '../../support/tiny-model-folder.ts';
import { byteLevelTokenizer, CHATML } from '../tokenizer/tiny-tokenizer.ts';

const [SYSTEM, ...TURNS] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'One?' },
  { role: 'assistant', content: 'Two.' },
  { role: 'user', content: 'Three?' },
] as const;

test('each template of Ollama, executed by Go, writes what is looked for in the template of a model', () => {
  const golden = goldenJson<object[]>('export', 'ollama-templates.json');
  const kinds = TEMPLATE_KINDS.map(({ go, render }) => ({
    go,
    bare: render(TURNS),
    system: render([SYSTEM, ...TURNS]),
  }));
  expect(kinds).toEqual(golden);
});

describe('the template of a model is told by what it writes', () => {
  const [chatml, , , , , , gemma] = TEMPLATE_KINDS;
  const GEMMA = `{{ bos_token }}{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{% for m in messages %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}
{{ m.content | trim }}<end_of_turn>
{% endfor %}{% if add_generation_prompt %}<start_of_turn>model
{% endif %}`;

  test.each([
    ['ChatML', CHATML, chatml!.go],
    ['one that refuses system turns', GEMMA, gemma!.go],
    [
      'one that leaves the system out',
      CHATML.replace('messages', "messages if message.role != 'system'"),
      undefined,
    ],
    ['one of its own', '{% for m in messages %}{{ m.content }}|{% endfor %}', undefined],
    ['none', null, undefined],
  ])('%s', (_, chatTemplate, expected) => {
    expect(ollamaTemplate(byteLevelTokenizer({ chatTemplate }), '')).toBe(expected);
  });

  test('a token that begins a text stands in the template only where nobody else writes it', () => {
    const chatTemplate = `{{ bos_token }}${CHATML}`;
    const config = { eos_token: '<|im_end|>', bos_token: '<|bos|>' };
    const of = (adds: boolean) =>
      byteLevelTokenizer({ chatTemplate, tokenizerConfig: { ...config, add_bos_token: adds } });
    expect(ollamaTemplate(of(true), '<|bos|>')).toBe(chatml!.go);
    expect(ollamaTemplate(of(false), '<|bos|>')).toBe(`<|bos|>${chatml!.go}`);
  });
});

async function exported(request: Omit<ExportRequest, 'output' | 'format'>) {
  const output = path.join(await tempFolder(), 'out');
  const { notes, tensors } = await exportResult({ ...request, format: 'ollama', output });
  const modelfile = await readFile(path.join(output, 'Modelfile'), 'utf8');
  return { output, notes, tensors, modelfile };
}

test('a folder with the merged model, its template, its ends and how it is sampled', async () => {
  const folder = path.join(await tempFolder(), 'tiny');
  await writeTinyModel(folder);
  const sampling = { temperature: 0.6, top_k: 20, do_sample: true };
  await writeFile(path.join(folder, 'generation_config.json'), JSON.stringify(sampling));
  const { output, notes, modelfile } = await exported({ folder, dtype: 'q8_0' });
  expect(notes).toEqual([]);
  expect(readdirSync(output).toSorted()).toEqual(['Modelfile', 'model.gguf']);
  expect(modelfile).toBe(
    [
      'FROM ./model.gguf',
      `TEMPLATE """${TEMPLATE_KINDS[0]!.go}"""`,
      'PARAMETER stop "<|im_end|>"',
      'PARAMETER temperature 0.6',
      'PARAMETER top_k 20',
      '',
    ].join('\n'),
  );
  const { tensors } = await openGguf(path.join(output, 'model.gguf'));
  expect(tensors.get('token_embd.weight')!.type).toBe('Q8_0');
});

test('the adapter beside its base; a template of no known kind is left to Ollama, and that is told', async () => {
  const base = path.join(await tempFolder(), 'llama2');
  await goldenModelFolder('llama2', base);
  await writeFile(path.join(base, 'chat_template.jinja'), '{{ messages[0].content }}!');
  const { output, notes, modelfile, tensors } = await exported({
    folder: goldenAdapter('lora-linear'),
    base,
    unmerged: true,
  });
  expect(tensors).toBe(28);
  expect(readdirSync(output).toSorted()).toEqual(['Modelfile', 'adapter.gguf']);
  expect(modelfile).toBe(`FROM ${base}\nADAPTER ./adapter.gguf\nPARAMETER stop "<|end|>"\n`);
  expect(notes).toEqual([expect.stringContaining('Ollama reads that of the GGUF file itself')]);
});

describe('what would be read as another line of a Modelfile is told by its name', () => {
  test('an end token', async () => {
    const folder = path.join(await tempFolder(), 'tiny');
    await writeTinyModel(folder);
    const token = 'a"""\nSYSTEM """evil';
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
      const file = path.join(folder, name);
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replaceAll('<|im_end|>', JSON.stringify(token).slice(1, -1)));
    }
    await expect(exported({ folder })).rejects.toMatchObject({
      code: 'model.unsupported',
      message: expect.stringMatching(/^The end token "a.*" cannot stand in a Modelfile/),
    });
  });

  test('the path of a base', async () => {
    const base = path.join(await tempFolder(), 'llama2\nSYSTEM evil');
    await goldenModelFolder('llama2', base);
    const folder = goldenAdapter('lora-linear');
    await expect(exported({ folder, base, unmerged: true })).rejects.toMatchObject({
      code: 'usage.invalid',
      message: expect.stringContaining('has a line break'),
    });
  });
});
