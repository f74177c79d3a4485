import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { parseConfig } from '../../../engine/config/parse.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import {
  fetchInputs,
  type HubInputOptions,
  type LocalInputs,
} from '../../../engine/inputs/hub-inputs.ts';
import { tempFolder } from '../temp-folder.ts';
import { HubServer } from './hub-server.ts';
import type { HubRepository } from './repositories.ts';

/** Variables of whoever runs the tests that would lead elsewhere. */
const OTHERS = [
  'HF_HUB_CACHE',
  'HUGGINGFACE_HUB_CACHE',
  'HF_HUB_OFFLINE',
  'HF_TOKEN',
  'HF_TOKEN_PATH',
  'HUGGING_FACE_HUB_TOKEN',
  'TRANSFORMERS_OFFLINE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

/** A hub and a user of it, whose settings and cache are in a folder of the running test. */
export class HubWorld {
  readonly hub: HubServer;
  readonly folder: string;
  readonly home: string;

  private constructor(hub: HubServer, folder: string) {
    this.hub = hub;
    this.folder = folder;
    this.home = path.join(folder, 'hf');
  }

  /** @param repositories what the hub has */
  static async create(...repositories: readonly HubRepository[]): Promise<HubWorld> {
    const world = new HubWorld(await HubServer.start(), await tempFolder());
    for (const repository of repositories) world.hub.add(repository);
    onTestFinished(async () => {
      await world.hub.close();
      vi.unstubAllEnvs();
    });
    const { env } = world;
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    for (const name of OTHERS) vi.stubEnv(name, undefined);
    return world;
  }

  /** The variables by which every program finds this hub and this cache. */
  get env(): Readonly<Record<string, string>> {
    return {
      HF_ENDPOINT: this.hub.endpoint,
      HF_HOME: this.home,
      LORAFA_CACHE_DIR: path.join(this.folder, 'cache'),
    };
  }

  get cache(): string {
    return path.join(this.home, 'hub');
  }

  /** A configuration with names of the Hub. */
  config(model: string, data: string | string[], held?: string): ResolvedConfig {
    return parseConfig(
      JSON.stringify({
        model: { base_model_name_or_path: model },
        data: {
          dataset_name_or_path: data,
          ...(held !== undefined && { eval_dataset_name_or_path: held }),
        },
        training: { output_dir: 'run' },
      }),
      path.join(this.folder, 'run.lorafa.json'),
    );
  }

  /** Fetches what a configuration names, without patience. */
  fetch(config: ResolvedConfig, options: HubInputOptions = {}): Promise<LocalInputs> {
    return fetchInputs(config, { patience: { tries: 1, silenceMs: 300 }, ...options });
  }

  /** What is wrong in the cache: a blob that is not what its name says, or a link that leads out. */
  async damage(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const name of await readdir(this.cache).catch(() => [])) {
      if (name === '.locks') continue;
      const repository = path.join(this.cache, name);
      for (const blob of await readdir(path.join(repository, 'blobs')).catch(() => [])) {
        if (blob.endsWith('.incomplete')) continue;
        const content = await readFile(path.join(repository, 'blobs', blob));
        if (!isNamedAfter(content, blob)) problems.push(`${name}: ${blob}`);
      }
      for (const file of await readdir(path.join(repository, 'snapshots'), {
        recursive: true,
      }).catch(() => [])) {
        const place = path.join(repository, 'snapshots', file);
        if (!(await lstat(place)).isSymbolicLink()) continue;
        const target = await realpath(place).catch(() => '');
        if (path.dirname(target) !== path.join(await realpath(repository), 'blobs')) {
          problems.push(`${file} leads to ${target}`);
        }
      }
    }
    return problems;
  }
}

function isNamedAfter(content: Buffer, digest: string): boolean {
  const hash =
    digest.length === 64
      ? createHash('sha256')
      : createHash('sha1').update(`blob ${content.length}\0`);
  return hash.update(content).digest('hex') === digest;
}
