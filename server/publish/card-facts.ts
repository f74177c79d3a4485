import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ResolvedConfig } from '../../engine/config/schema.ts';
import { baseOf, checkpointRun, nameOf, recordOf } from '../../engine/export/export-source.ts';
import { repositoryOf } from '../../engine/hub/hub-cache.ts';
import { parseHubName } from '../../engine/hub/hub-name.ts';
import { readAdapterConfig } from '../../engine/lora/adapter-config.ts';
import type { LoraConfig } from '../../engine/lora/lora-config.ts';
import { CHAT_TEMPLATE_FILE } from '../../engine/tokenizer/tokenizer-files.ts';
import { readExamples } from '../../engine/train/run-examples.ts';
import { type MetricRow, runMetrics } from '../runs/run-metrics.ts';
import { baseLicense, type License } from './base-license.ts';
import { type RunCourse, readCourse } from './run-course.ts';

/** A model or data as others may know it: nothing tells where it lies on this machine. */
export interface PublicName {
  /** `owner/name` on the Hub, or the name of its file or folder. */
  readonly name: string;
  /** The file, split or rows that are meant of it, as the configuration has it; empty for all of it. */
  readonly part: string;
  readonly isOnHub: boolean;
}

/** What is known of the run of an adapter. */
export interface RunFacts extends RunCourse {
  readonly config: ResolvedConfig;
  /** The optimizer step that the adapter is of; null where the run does not tell. */
  readonly step: number | null;
  /** How rows were read: `question → answer`; empty where the run does not say. */
  readonly shape: string;
  /** What was measured, in the order of steps. */
  readonly rows: readonly MetricRow[];
}

/** All that a card says of an adapter. */
export interface CardFacts {
  readonly name: string;
  /** Null where the adapter does not say. */
  readonly base: PublicName | null;
  readonly license: License | null;
  readonly lora: LoraConfig;
  readonly hasChatTemplate: boolean;
  /** Null for an adapter without a run. */
  readonly run: RunFacts | null;
}

/**
 * What is known of an adapter, from its folder and that of its run.
 *
 * @throws LorafaError `adapter.not_found`, `adapter.corrupt`, `adapter.unsupported`
 */
export async function readCardFacts(folder: string): Promise<CardFacts> {
  const { config: lora } = await readAdapterConfig(folder);
  const record = await recordOf(folder);
  const base = await baseOf(folder, record);
  return {
    name: await nameOf(folder),
    base: base === null ? null : publicName(base),
    license: base === null ? null : await baseLicense(base, record?.hub),
    lora,
    hasChatTemplate: existsSync(path.join(folder, CHAT_TEMPLATE_FILE)),
    run: record === undefined ? null : await runFacts(folder, record.config),
  };
}

async function runFacts(folder: string, config: ResolvedConfig): Promise<RunFacts | null> {
  const checkpointOf = await checkpointRun(folder);
  const run = checkpointOf ?? folder;
  const course = await readCourse(run);
  const { rows } = await runMetrics(run).catch(() => ({ rows: [] }));
  return {
    ...course,
    config,
    step:
      checkpointOf === undefined
        ? course.resultStep
        : Number(/\d+$/.exec(path.basename(folder))?.[0]),
    shape: (await readExamples(run))?.shape ?? '',
    rows,
  };
}

/**
 * A model or data as others may know it: its name on the Hub, also where it lies in the Hub's cache here, and
 * otherwise the last part of its path.
 */
export function publicName(input: string): PublicName {
  const named = parseHubName(input);
  if (named !== undefined) {
    const { repository, revision, part, slice } = named;
    const at = revision === 'main' ? '' : `@${revision}`;
    return {
      name: repository,
      part: `${at}${part === undefined ? '' : `:${part}`}${slice}`,
      isOnHub: true,
    };
  }
  const [, place = input, slice = ''] = /^(.*?)(\[[^[\]]*\])?$/s.exec(input) ?? [];
  const cached = repositoryOf(place);
  if (cached !== undefined) {
    const part = cached.file === '' ? '' : `:${cached.file}`;
    return { name: cached.name, part: `${part}${slice}`, isOnHub: true };
  }
  // An address may hold a name, a password or a token.
  if (place.includes('://') && URL.canParse(place)) {
    const { hostname, pathname } = new URL(place);
    return { name: lastPart(pathname) ?? hostname, part: '', isOnHub: false };
  }
  return { name: lastPart(place) ?? place, part: slice, isOnHub: false };
}

function lastPart(place: string): string | undefined {
  // Whoever made the adapter may have had another system.
  return place.split(/[\\/]/).findLast((part) => part !== '');
}
