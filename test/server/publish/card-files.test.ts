import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { writeSafetensors } from '../../../engine/formats/safetensors-writer.ts';
import { type Card, makeCard } from '../../../server/publish/card-files.ts';
import { isUnchangedCard } from '../../../server/publish/model-card.ts';
import { publicationOf } from '../../../server/publish/publication.ts';
import { run, TinyRuns } from '../../engine/train/tiny-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

let top: string;
let folder: string;

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'lorafa-private-'));
  const tiny = await TinyRuns.create(top);
  await writeFile(
    path.join(tiny.model, 'README.md'),
    '---\nlanguage: en\nlicense: other\nlicense_name: "tiny-1.0"\nlicense_link: https://example.com/tiny\n---\n# Tiny\n',
  );
  folder = path.join(top, 'first_run');
  await run(
    tiny.config({
      data: { eval_dataset_name_or_path: `${tiny.data}[:2]` },
      training: {
        ...{ output_dir: folder, max_steps: 6, eval_steps: 2, save_steps: 2 },
        ...{
          learning_rate: 0.3,
          lr_scheduler_type: 'cosine',
          warmup_steps: 2,
          load_best_model_at_end: true,
        },
      },
    }),
  );
});

afterAll(() => rm(top, { recursive: true }));

const textOf = ({ files }: Card, name = 'README.md'): string =>
  String(files.find((file) => file.name === name)!.content);

/** A folder with an adapter of somebody else's, who says so much of it. */
async function foreignAdapter(base: string | null, more: object = {}): Promise<string> {
  const place = await tempFolder();
  const config = { peft_type: 'LORA', r: 8, lora_alpha: 16, target_modules: ['q_proj', 'v_proj'] };
  await writeFile(
    path.join(place, 'adapter_config.json'),
    JSON.stringify({ ...config, base_model_name_or_path: base, ...more }),
  );
  const layer = 'base_model.model.model.layers.0.self_attn.q_proj';
  const matrix = (rows: number, columns: number) => ({
    ...{ shape: [rows, columns], dtype: 'F32' as const },
    data: new Float32Array(rows * columns),
  });
  await writeSafetensors(path.join(place, 'adapter_model.safetensors'), [
    { name: `${layer}.lora_A.weight`, ...matrix(8, 4) },
    { name: `${layer}.lora_B.weight`, ...matrix(4, 8) },
  ]);
  return place;
}

describe('the card of a run', () => {
  test('says what was trained, on what, how, and what came of it', async () => {
    const card = textOf(await makeCard(folder));
    const events = (await readFile(path.join(folder, 'events.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const evaluations = events.filter(({ type }) => type === 'eval');
    const best = evaluations.toSorted((a, b) => a.eval_loss - b.eval_loss)[0];
    expect(card).toMatch(/^---\nlibrary_name: peft\npipeline_tag: text-generation\n/);
    expect(card).toContain(
      'license: "other"\nlicense_name: "tiny-1.0"\nlicense_link: "https://example.com/tiny"\n',
    );
    expect(card).toContain('tags:\n- lora\n- lorafa\n---\n\n# first\\_run\n');
    expect(card).toContain(`| before training | ${evaluations[0].eval_loss.toFixed(4)} |`);
    expect(card).toContain(
      `step ${best.step}, the best evaluation | ${best.eval_loss.toFixed(4)} |`,
    );
    // They were taken from those that were learned.
    expect(card).toContain(
      '\n\n2 of 2 held-out rows were learned as well: what is measured on them says nothing about other rows.\n',
    );
    const { train } = events.find(({ type }) => type === 'started').run.dataset;
    expect(card).toContain(
      `\`rows.jsonl\` (${train.rows} rows, ${train.tokens} tokens, of which ${train.supervisedTokens} were`,
    );
    expect(card).toContain('| Learning rate | 0.3 (cosine, 2 warm-up steps) |');
    expect(card).toContain(`| Steps | ${best.step} of 6 (`);
    expect(card).toContain('| Target layers | `q_proj`, `down_proj` |');
    // No base that others cannot find.
    expect(card).not.toContain('base_model:');
  });

  test('a checkpoint has the card of its own step', async () => {
    const { files } = await makeCard(path.join(folder, 'checkpoint-4'));
    const card = String(files[0]!.content);
    expect(card).toContain('# first\\_run-checkpoint-4\n');
    expect(card).toContain('| after step 4 |');
    expect(card).toContain('| Steps | 4 of 6 (');
  });

  test('nothing in it tells where anything lies on this machine', async () => {
    const card = await makeCard(folder, 'owner/name');
    expect(card.files.map(({ name }) => name)).toEqual(['README.md', 'loss-curve.svg']);
    for (const { content } of card.files) {
      for (const secret of [top, path.basename(top), tmpdir()])
        expect(String(content)).not.toContain(secret);
    }
    expect(textOf(card)).toContain('`model`');
  });

  test('the same run has the same card, by which it is known that nobody changed it', async () => {
    const card = textOf(await makeCard(folder));
    expect(textOf(await makeCard(folder))).toBe(card);
    expect(isUnchangedCard(card)).toBe(true);
    expect(isUnchangedCard(card.replaceAll('\n', '\r\n'))).toBe(true);
    expect(isUnchangedCard(card.replace('0.3', '0.4'))).toBe(false);
    expect(isUnchangedCard(`${card}More of it.\n`)).toBe(false);
  });

  test('a card that is there is left alone, and that is said', async () => {
    const place = await foreignAdapter('owner/base');
    await writeFile(path.join(place, 'README.md'), 'mine');
    const { files, notes } = await makeCard(place);
    expect(files).toEqual([]);
    expect(notes).toEqual([`README.md is the one in ${place}, as it is; no card was written.`]);
  });
});

describe('a card that was made for another place', () => {
  /** The adapter of the run, exported for PEFT. */
  async function exported(): Promise<string> {
    const output = path.join(await tempFolder(), 'out');
    const { files: beside } = await makeCard(folder);
    await exportResult({ folder, format: 'peft', output, beside });
    return output;
  }

  test('says where the adapter is now, and all that it said, with its picture', async () => {
    const place = await exported();
    const [before, pushed] = [textOf(await makeCard(folder)), await makeCard(place, 'owner/name')];
    const card = textOf(pushed);
    expect(pushed.notes).toEqual([]);
    expect(card).toContain('PeftModel.from_pretrained(model, "owner/name")');
    expect(card).toContain('--adapter owner/name ');
    expect(card).not.toContain('path/to/first_run');
    const upTo = (text: string) => text.slice(0, text.indexOf('## How to load it'));
    expect(upTo(card)).toBe(upTo(before));
    expect(isUnchangedCard(card)).toBe(true);
    expect(textOf(pushed, 'loss-curve.svg')).toBe(textOf(await makeCard(folder), 'loss-curve.svg'));
    // Into a folder again, which is the same but for its name.
    const again = path.join(await tempFolder(), 'again');
    const { files: beside } = await makeCard(place);
    await exportResult({ folder: place, format: 'peft', output: again, beside });
    expect(await readFile(path.join(again, 'README.md'), 'utf8')).toContain('path/to/out"');
    expect(await readdir(again)).toEqual(await readdir(place));
  });

  test('does not show a picture that is gone', async () => {
    const place = await exported();
    await rm(path.join(place, 'loss-curve.svg'));
    const { files } = await makeCard(place, 'owner/name');
    expect(files.map(({ name }) => name)).toEqual(['README.md']);
    expect(String(files[0]!.content)).not.toContain('loss-curve.svg');
  });

  test('is made anew where the run is known', async () => {
    const there = path.join(folder, 'README.md');
    await writeFile(there, textOf(await makeCard(folder, 'owner/other')));
    onTestFinished(() => rm(there));
    expect(textOf(await makeCard(folder, 'owner/name'))).toContain('(model, "owner/name")');
  });

  test('goes with its picture where somebody has changed it', async () => {
    const place = await exported();
    const card = `${await readFile(path.join(place, 'README.md'), 'utf8')}More of it.\n`;
    await writeFile(path.join(place, 'README.md'), card);
    const { files, notes } = await publicationOf(place, 'owner/name');
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining(['README.md', 'loss-curve.svg']),
    );
    expect(notes).toContain(`README.md is the one in ${place}, as it is; no card was written.`);
  });
});

describe('an adapter without a run', () => {
  test('of a base on the Hub', async () => {
    const card = textOf(await makeCard(await foreignAdapter('owner/base')));
    expect(card).toContain('base_model: "owner/base"\n');
    expect(card).toContain(
      'for [owner/base](https://huggingface.co/owner/base). Nothing is known of its training.',
    );
    expect(card).toContain('| Rank (`r`) | 8 |');
    expect(card).not.toContain('## Results');
    expect(card).not.toContain('license');
  });

  test.each(['/home/alice/models/base-7b', 'C:\\Users\\alice\\base-7b', '../alice/base-7b/'])(
    'of a base at %s',
    async (base) => {
      const card = textOf(await makeCard(await foreignAdapter(base)));
      expect(card).toContain('for `base-7b`.');
      expect(card).not.toContain('alice');
      expect(card).not.toContain('base_model:');
    },
  );

  test.each([
    ['https://models.example/me/base-7b?token=hf_secret#secret', 'base-7b'],
    ['https://me:secret@models.example/', 'models.example'],
  ])('of a base at %s', async (base, name) => {
    const place = await foreignAdapter(base);
    for (const { content } of (await publicationOf(place, 'owner/name')).files) {
      expect(String(content)).not.toContain('secret');
    }
    expect(textOf(await makeCard(place))).toContain(`for \`${name}\`.`);
  });

  test('whose configuration holds more than is needed to load it', async () => {
    const more = {
      ...{ peft_type: 'LORA', task_type: 'CAUSAL_LM', fan_in_fan_out: false, use_dora: false },
      ...{ layers_pattern: null, init_lora_weights: true },
    };
    const place = await foreignAdapter('owner/base', {
      ...more,
      corda_config: { cache_file: '/home/alice/corda.pt' },
      eva_config: { path: '/home/alice' },
      auto_mapping: { base_model_class: 'x', parent_library: '/home/alice/lib' },
      inference_mode: '/home/alice',
      peft_version: '0.18.0',
    });
    const { files } = await publicationOf(place, 'owner/name');
    const sent = files.find((file) => file.path === 'adapter_config.json')!;
    expect(JSON.parse(String(sent.content))).toEqual({
      ...{ r: 8, lora_alpha: 16, target_modules: ['q_proj', 'v_proj'] },
      ...{ base_model_name_or_path: 'owner/base', ...more },
    });
  });

  test('of a base in the cache of the Hub, by its name there, with the licence of its snapshot', async () => {
    const cache = path.join(await tempFolder(), 'models--owner--base/snapshots', 'a'.repeat(40));
    await mkdir(cache, { recursive: true });
    await writeFile(
      path.join(cache, 'LICENSE'),
      '\n   Apache License\n   Version 2.0, January 2004\n',
    );
    const card = textOf(await makeCard(await foreignAdapter(cache)));
    expect(card).toContain('base_model: "owner/base"\n');
    expect(card).toContain('license: "apache-2.0"\n');
  });

  test('of a base beside which the program runs, and which has the form of a name on the Hub', async () => {
    const here = await tempFolder();
    await mkdir(path.join(here, 'models/tiny'), { recursive: true });
    vi.spyOn(process, 'cwd').mockReturnValue(here);
    onTestFinished(() => void vi.restoreAllMocks());
    const place = await foreignAdapter('models/tiny');
    const { base } = (await makeCard(place)).facts;
    expect(base).toEqual({ name: 'tiny', part: '', isOnHub: false });
    const { files, notes } = await publicationOf(place, 'owner/name');
    const config = files.find((file) => file.path === 'adapter_config.json')!;
    expect(JSON.parse(String(config.content))['base_model_name_or_path']).toBe('tiny');
    expect(notes[0]).toContain('names the base model "tiny"');
    expect(String(files.find((file) => file.path === 'README.md')!.content)).not.toContain(
      'base_model:',
    );
  });

  test.each([
    ['a file on the Hub', 'owner/base:a\n```\n# Evil\n```sh\nb.gguf'],
    ['a folder in a cache', `/x/models--owner--base\n\`\`\`\n# Evil/snapshots/${'a'.repeat(40)}`],
  ])('of a base whose name would end the code that it stands in: %s', async (_, base) => {
    const { files, facts } = await makeCard(await foreignAdapter(base));
    expect(facts.base).toMatchObject({ isOnHub: false });
    expect(String(files[0]!.content)).not.toMatch(/^# Evil/m);
  });

  test('with a card whose base would do so: that may look like one of ours', async () => {
    const place = await foreignAdapter('owner/base');
    const card = textOf(await makeCard(place));
    const text = card
      .slice(0, card.lastIndexOf('\n<!--'))
      .replace('base = "owner/base"', 'base = "x\\n```\\n# Evil"');
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    const mark = card.slice(card.lastIndexOf('\n<!--')).replace(/[0-9a-f]{16}/, digest);
    await writeFile(path.join(place, 'README.md'), text + mark);
    expect(isUnchangedCard(text + mark)).toBe(true);
    expect(textOf(await makeCard(place, 'owner/name'))).not.toMatch(/^# Evil/m);
  });

  test('that names none', async () => {
    expect(textOf(await makeCard(await foreignAdapter(null)))).toContain(
      "A LoRA adapter in PEFT's format. Nothing is known of its training.",
    );
  });

  test('a name is a name, whatever it looks like', async () => {
    const card = textOf(
      await makeCard(await foreignAdapter('/x/<img src=a>|`x`\n---\nlicense: mit')),
    );
    expect(card).toContain("`<img src=a>\\|'x' ⏎ --- ⏎ license: mit`");
    expect(card).not.toMatch(/^license/m);
  });
});
