import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { planPush } from '../../../server/publish/plan-push.ts';
import { push, pushConnection } from '../../../server/publish/push.ts';
import { run, TinyRuns } from '../../engine/train/tiny-run.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { askPython, lacks } from '../../support/reference-python.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/*
 * What is pushed is what Python's huggingface_hub downloads, and what PEFT loads; and what huggingface_hub pushes
 * is taken by the stand-in for the Hub too, so that both speak the same protocol to it.
 */

const TOKEN = 'hf_writesInTests';
const NAME = 'somebody/first';
/** The stand-in has the way of those who do not know Xet, which is the project's. */
const WITHOUT_XET = { HF_HUB_DISABLE_XET: '1' };
const why = 'needs a Python with huggingface_hub (LORAFA_REFERENCE_PYTHON)';

describe.skipIf(lacks('huggingface_hub'))(`with Python's huggingface_hub (${why})`, () => {
  async function trained(): Promise<{ world: HubWorld; tiny: TinyRuns; folder: string }> {
    const world = await HubWorld.create();
    world.hub.tokens.add(TOKEN);
    vi.stubEnv('HF_TOKEN', TOKEN);
    const tiny = await TinyRuns.create(world.folder);
    const folder = path.join(world.folder, 'first-run');
    await run(tiny.config({ training: { output_dir: folder, learning_rate: 0.1 } }));
    return { world, tiny, folder };
  }

  test('what is pushed here arrives there', { timeout: 180_000 }, async () => {
    const { world, tiny, folder } = await trained();
    world.hub.writing.partBytes = 2000;
    const plan = await planPush({ folder, repository: NAME }, await pushConnection());
    await push(plan);
    const target = path.join(await tempFolder(), 'arrived');
    const base = lacks('peft') ? [] : [tiny.model];
    const answer = await askPython<{ card: object; changes?: boolean }>(
      'check_push.py',
      ['fetch', NAME, target, ...base],
      { ...world.env, ...WITHOUT_XET },
    );
    const arrived = (await readdir(target)).filter(
      (name) => !/^\.(cache|gitattributes)/.test(name),
    );
    expect(arrived.toSorted()).toEqual(plan.shown.files.map(({ path: name }) => name));
    for (const { path: name, content } of plan.files) {
      const sent = Buffer.isBuffer(content) ? content : await readFile(content.file);
      expect((await readFile(path.join(target, name))).equals(sent)).toBe(true);
    }
    expect(answer.card).toEqual({
      ...{ library_name: 'peft', pipeline_tag: 'text-generation', tags: ['lora', 'lorafa'] },
    });
    if (base.length > 0) expect(answer.changes).toBe(true);
  });

  test('what is pushed there is taken as what is pushed here', { timeout: 180_000 }, async () => {
    const { world, folder } = await trained();
    const plan = await planPush({ folder, repository: NAME }, await pushConnection());
    await push(plan);
    const places = (): string[] =>
      world.hub.requests
        .splice(0)
        .filter(({ method }) => method === 'POST' || method === 'PUT')
        .map(({ method, path: place }) => `${method} ${place.replaceAll(/second|first/g, 'NAME')}`);
    const ours = places();
    const theirs = await tempFolder();
    for (const name of ['adapter_config.json', 'adapter_model.safetensors']) {
      await cp(path.join(folder, name), path.join(theirs, name));
    }
    const env = { ...world.env, HF_TOKEN: TOKEN, ...WITHOUT_XET };
    await askPython('check_push.py', ['push', 'somebody/second', theirs], env);
    // The weights are there already, from the first push.
    const sent = places();
    expect(ours).toEqual(expect.arrayContaining(sent));
    expect(sent.length).toBeGreaterThanOrEqual(4);
    expect(await readdir(theirs)).toEqual(
      [...world.hub.find('somebody/second')!.files.keys()].filter((name) => !name.startsWith('.')),
    );
  });
});
