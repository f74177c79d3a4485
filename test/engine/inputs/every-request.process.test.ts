import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { HubError } from '../../../engine/hub/hub-error.ts';
import type { Fault } from '../../support/hub-server/faults.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';
import type { HubRepository } from '../../support/hub-server/repositories.ts';
import {
  metaMathRepository,
  tinyModelRepository,
} from '../../support/hub-server/tiny-repositories.ts';
import { inTempFolder } from '../../support/temp-folder.ts';

/*
 * A hub that fails the n-th request, in every way, for every n: the try ends with a sentence, the next
 * one completes, and at no time does the cache hold a file that is not what its name says.
 */

const FAULTS: Readonly<Record<string, readonly [fault: Fault, code: RegExp]>> = {
  'a broken connection': ['drop', /^hub\.unreachable$/],
  silence: ['hang', /^hub\.unreachable$/],
  'a body that breaks off': [{ cutAfter: 30 }, /^hub\.unreachable$/],
  'a body that ends early': [{ endAfter: 30 }, /^hub\.(bad_answer|unreachable)$/],
  'another byte': ['corrupt', /^hub\.(bad_answer|wrong_hash)$/],
  'more than was said': ['too-much', /^hub\.bad_answer$/],
  'no JSON': ['no-json', /^hub\.bad_answer$/],
  '401': [{ status: 401 }, /^hub\.(not_found|bad_answer)$/],
  '403': [{ status: 403 }, /^hub\.(forbidden|bad_answer)$/],
  '404': [{ status: 404 }, /^hub\.(not_found|bad_answer)$/],
  '416': [{ status: 416 }, /^hub\.bad_answer$/],
  '418': [{ status: 418 }, /^hub\.bad_answer$/],
  '429': [{ status: 429, headers: { 'retry-after': '1' } }, /^hub\.rate_limited$/],
  '500': [{ status: 500 }, /^hub\.unavailable$/],
  '503': [{ status: 503 }, /^hub\.unavailable$/],
  'a redirect without end': [
    { status: 302, headers: { location: '/again' } },
    /^hub\.(bad_answer|not_found)$/,
  ],
  'a redirect to a file': [
    { status: 302, headers: { location: 'file:///etc/passwd' } },
    /^hub\.bad_answer$/,
  ],
};

const config = (world: HubWorld) =>
  world.config('meta-llama/Meta-Llama-3-8B', 'meta-math/MetaMathQA-40K');

let model: HubRepository;
beforeAll(async () => {
  model = await inTempFolder((folder) => tinyModelRepository(folder));
});

async function worldWithAll(): Promise<HubWorld> {
  const world = await HubWorld.create(model, metaMathRepository());
  world.hub.pageSize = 5;
  return world;
}

describe.each(Object.entries(FAULTS))('%s', (_name, [fault, code]) => {
  test('at every request', { timeout: 120_000 }, async () => {
    const world = await worldWithAll();
    await world.fetch(config(world));
    const count = world.hub.requests.length;
    expect(count).toBeGreaterThan(15);
    let failures = 0;
    for (let number = 1; number <= count; number++) {
      const fresh = await worldWithAll();
      fresh.hub.fault = (request) => (request.number === number ? fault : undefined);
      const error = await fresh.fetch(config(fresh)).then(
        () => undefined,
        (thrown: HubError) => thrown,
      );
      // What happens to the body of a redirect matters to nobody.
      if (error !== undefined) {
        failures += 1;
        expect(error.code).toMatch(code);
        expect(error.message).toMatch(/\.$/);
      }
      expect(await fresh.damage()).toEqual([]);
      const { config: local } = await fresh.fetch(config(fresh));
      expect(path.isAbsolute(local.model.base_model_name_or_path)).toBe(true);
      expect(await fresh.damage()).toEqual([]);
    }
    expect(failures).toBeGreaterThan(0);
  });
});
