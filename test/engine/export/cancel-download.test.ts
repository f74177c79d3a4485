import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { exportResult } from '../../../engine/export/export.ts';
import { goldenAdapter } from '../../support/golden-adapter.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import { tinyModelRepository } from '../../support/hub-server/tiny-repositories.ts';
import { tempFolder } from '../../support/temp-folder.ts';

test.each([
  ['nothing comes', 'hang'],
  ['little comes at a time', { pieceBytes: 64, pauseMs: 30 }],
] as const)('an export is cancelled while its base is downloaded and %s', async (_, fault) => {
  const { hub } = await HubWorld.create(
    await tinyModelRepository(await tempFolder(), 'owner/tiny'),
  );
  const folder = await tempFolder();
  const abort = new AbortController();
  hub.fault = ({ host }) => {
    if (host !== 'cdn') return undefined;
    setTimeout(() => abort.abort(), 50);
    return fault;
  };
  const request = { base: 'owner/tiny', output: path.join(folder, 'out') };
  await expect(
    exportResult(
      { ...request, folder: goldenAdapter('family-smollm3'), format: 'merged' },
      { signal: abort.signal },
    ),
  ).rejects.toMatchObject({ code: 'export.cancelled' });
  expect(readdirSync(folder)).toEqual([]);
});
