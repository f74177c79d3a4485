import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configSchema } from '../../../engine/config/schema.ts';
import { messageOf } from '../../../engine/errors.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { chooseComputeDevice } from '../../../engine/train/compute-device.ts';
import { goldenModelFolder } from '../../support/golden-model-folder.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** A probe that does as `body` says instead of trying a device. */
async function probe(body: string): Promise<string> {
  const file = path.join(await tempFolder(), 'probe.mjs');
  await writeFile(file, body);
  return file;
}

const configOf = (engine: object, model = 'model') =>
  configSchema.parse({
    model: { base_model_name_or_path: model },
    data: { dataset_name_or_path: 'rows.jsonl' },
    training: { output_dir: 'out' },
    engine,
  });

test('auto is the CPU for a mode that no other device has', async () => {
  const config = configOf({ device: 'auto', compute: 'int8' });
  const everyDeviceWorks = await probe('');
  const chosen = await chooseComputeDevice(config, undefined, everyDeviceWorks).catch(messageOf);
  // Not every CPU is exact in eight bits, and says so.
  expect([CPU, expect.stringContaining('This processor does not')]).toContainEqual(chosen);
});

test('auto is the CPU for a model that WebGPU does not compute, of which is told', async () => {
  const folder = path.join(await tempFolder(), 'mixtral');
  await goldenModelFolder('mixtral', folder);
  const noCuda = await probe('if (process.argv[2].startsWith("cuda")) process.exit(1);');
  const told: string[] = [];
  const config = configOf({ device: 'auto' }, folder);
  const chosen = await chooseComputeDevice(config, (why) => told.push(why), noCuda);
  expect(chosen).toEqual(CPU);
  expect(told).toEqual([expect.stringMatching(/^engine\.device "auto" is cpu .* experts\.$/)]);
});

test('tensor cores are tried once', async () => {
  const tries = path.join(await tempFolder(), 'tries');
  const counting = await probe(
    `import { appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(tries)}, process.argv.slice(2).join(' ') + '\\n');`,
  );
  const config = configOf({ device: 'auto', compute: 'bfloat16' });
  // Its libraries, which are brought into the process then, need not be here.
  await chooseComputeDevice(config, undefined, counting).catch(messageOf);
  expect(await readFile(tries, 'utf8')).toBe('cuda:0\ncuda:0 bfloat16\n');
});
