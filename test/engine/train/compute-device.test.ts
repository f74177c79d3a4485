import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { messageOf } from '../../../engine/errors.ts';
import { CPU } from '../../../engine/runtime/device.ts';
import { chooseComputeDevice } from '../../../engine/train/compute-device.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test('auto is the CPU for a mode that no other device has', async () => {
  const everyDeviceWorks = path.join(await tempFolder(), 'probe.mjs');
  await writeFile(everyDeviceWorks, '');
  const engine = { device: 'auto', compute: 'int8' } as const;
  const chosen = await chooseComputeDevice({ engine }, everyDeviceWorks).catch(messageOf);
  // Not every CPU is exact in eight bits, and says so.
  expect([CPU, expect.stringContaining('This processor does not')]).toContainEqual(chosen);
});
