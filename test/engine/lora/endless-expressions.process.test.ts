import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loraSection } from '../../../engine/config/lora-section.ts';
import { loadAdapter } from '../../../engine/lora/load-adapter.ts';
import { resolveTargets } from '../../../engine/lora/targets.ts';
import { readDecoderConfig } from '../../../engine/models/hugging-face-folder.ts';
import { goldenJson, goldenPath } from '../../support/golden.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Would backtrack for hours, and so takes all the time that an expression may. */
const ENDLESS = '(.*.*.*.*)*x';

const REFERENCE = 'lorafa-qv-bf16';
const { model } = goldenJson<{ model: string }>('training', REFERENCE, 'case.json');
const { config: decoder } = await readDecoderConfig(goldenPath('models', model));

test('an endless expression of a configuration is stopped', () => {
  const section = loraSection.parse({ target_modules: ENDLESS });
  expect(() => resolveTargets(section, decoder, 'tiny')).toThrow(
    expect.objectContaining({
      code: 'config.invalid_value',
      message: expect.stringMatching(/target_modules.*takes too long/),
    }),
  );
});

test('an endless expression of an adapter is stopped', async () => {
  const folder = path.join(await tempFolder(), 'adapter');
  await cp(goldenPath('training', REFERENCE, 'adapter_init'), folder, { recursive: true });
  const file = path.join(folder, 'adapter_config.json');
  const config = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...config, target_modules: ENDLESS }));
  await expect(loadAdapter(folder, decoder)).rejects.toMatchObject({
    code: 'adapter.corrupt',
    message: expect.stringMatching(/target_modules.*takes too long/),
  });
});
