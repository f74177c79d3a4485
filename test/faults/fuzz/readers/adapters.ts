import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../../../../engine/lora/adapter.ts';
import { initAdapter } from '../../../../engine/lora/init-adapter.ts';
import { loadAdapter } from '../../../../engine/lora/load-adapter.ts';
import type { LoraConfig } from '../../../../engine/lora/lora-config.ts';
import { saveAdapter } from '../../../../engine/lora/save-adapter.ts';
import { resolveTargets } from '../../../../engine/lora/targets.ts';
import { findAdapters } from '../../../../server/discovery/find-adapters.ts';
import type { FuzzedReader } from '../reader.ts';
import { DECODER } from './tiny-files.ts';

const CONFIG: LoraConfig = {
  r: 2,
  lora_alpha: 4,
  lora_dropout: 0,
  target_modules: ['q_proj', 'v_proj'],
  rank_pattern: { 'layers\\.1\\.self_attn\\.q_proj': 1 },
  alpha_pattern: {},
  use_rslora: true,
};

async function writeAdapter(folder: string): Promise<void> {
  const modules = resolveTargets(CONFIG, DECODER, 'tiny');
  await saveAdapter(
    folder,
    { config: CONFIG, modules, weights: initAdapter(modules, 1) },
    { name: 'tiny' },
  );
}

/** The two files of an adapter. */
export const adapterReaders: readonly FuzzedReader[] = [
  ADAPTER_CONFIG_FILE,
  ADAPTER_WEIGHTS_FILE,
].map((name) => ({
  name,
  kind: name === ADAPTER_CONFIG_FILE ? 'json' : 'bytes',
  prepare: async (folder) => {
    await writeAdapter(folder);
    const file = path.join(folder, name);
    return {
      file,
      seeds: [await readFile(file)],
      read: async () => {
        await findAdapters([folder]);
        await loadAdapter(folder, DECODER);
      },
    };
  },
}));
