import { access } from 'node:fs/promises';
import path from 'node:path';
import type { ConfigPath } from '../../../engine/config/config-error.ts';
import type { Given } from '../../../engine/config/given.ts';
import { setValue } from '../../../engine/config/path-problem.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { ADAPTER_CONFIG_FILE } from '../../../engine/lora/adapter.ts';
import { runCheckpoints } from '../../../engine/train/checkpoint-folders.ts';
import { misplacedReports } from '../../../engine/train/misplaced-reports.ts';
import {
  freeFolder,
  mayResume,
  type Occupant,
  occupantOf,
} from '../../../engine/train/occupied-folder.ts';
import { readLock } from '../../../engine/train/run-lock.ts';
import { readRunRecord } from '../../../engine/train/run-record.ts';
import { decidedByAdapter } from '../begin-with-adapter.ts';
import type { RunRemedy } from '../run-remedy.ts';
import { type Finding, finding, findingOf } from './finding.ts';

/** The key that names the folder of the result. */
export const OUTPUT_KEY: ConfigPath = ['training', 'output_dir'];

const LOGGING_KEY: ConfigPath = ['training', 'logging_dir'];

/** The model folder's own configuration, which a run of the method `full` leaves. */
const MODEL_CONFIG_FILE = 'config.json';

/**
 * What keeps a run from its output folder, said before it is started: other files, or a run, with
 * the ways to go on; or reports in the way of what it writes there.
 */
export async function outputFindings(
  config: ResolvedConfig,
  given: Given,
): Promise<readonly Finding[]> {
  const written = given('training', 'output_dir');
  // A value that is wrong in itself was left out.
  if (typeof written !== 'string') return [];
  const misplaced = misplacedReports(config);
  if (misplaced !== undefined) return [findingOf(misplaced, LOGGING_KEY)];
  const { output_dir: folder, resume_from_checkpoint: resumed } = config.training;
  let occupant: Occupant | undefined;
  try {
    occupant = await occupantOf(config);
  } catch (error) {
    return [findingOf(error, OUTPUT_KEY)];
  }
  if (occupant === undefined) return [];
  const free = withName(written, path.basename(await freeFolder(folder)));
  const changed = setValue(OUTPUT_KEY, free);
  switch (occupant.kind) {
    case 'other files': {
      const names = occupant.names.slice(0, 3).join(', ');
      const message = `\`${written}\` holds other files (${names}…), so that no run starts there; take an empty or new folder`;
      return [finding('error', OUTPUT_KEY, 'output.not_writable', message, [changed])];
    }
    case 'other run': {
      const message = `\`${written}\` holds a run already, which is not that of ${resumed}; take another folder`;
      return [finding('error', OUTPUT_KEY, 'output.not_writable', message, [changed])];
    }
    case 'run':
      return [await runFinding(config, given, occupant, { written, free })];
  }
}

async function runFinding(
  config: ResolvedConfig,
  given: Given,
  occupant: Occupant,
  { written, free }: { readonly written: string; readonly free: string },
): Promise<Finding> {
  const { output_dir: folder } = config.training;
  const next = path.posix.basename(free);
  const way = (remedy: Omit<RunRemedy, 'kind' | 'folder'>): RunRemedy => ({
    kind: 'run',
    folder,
    ...remedy,
  });
  const startAnew = way({
    title: `Start as \`${next}\``,
    detail: 'Begins anew in a new folder; the run that is there stays.',
    values: [{ path: OUTPUT_KEY, value: free }],
    removes: [],
    step: 'start',
  });
  const isLive = await readLock(folder).then(
    (holder) => holder !== undefined,
    () => false,
  );
  if (isLive) {
    const message = `a run is going on in \`${written}\`; another one needs a folder of its own`;
    return finding('information', OUTPUT_KEY, 'output.occupied', message, [startAnew]);
  }
  const further = await furtherTraining(config, given, { written, free });
  const resume = way({
    title: 'Resume it…',
    detail: 'Goes on from one of its checkpoints, as if it had never stopped.',
    values: [],
    removes: [],
    step: 'resume',
  });
  const replace = way({
    title: 'Replace it…',
    detail: 'Deletes the run that is there and starts anew; you are asked first.',
    values: [],
    removes: [],
    step: 'replace',
  });
  const remedies = [
    ...((await mayResume(config, occupant)) ? [resume] : []),
    startAnew,
    ...(further === undefined ? [] : [way(further)]),
    replace,
  ];
  const what = occupant.isComplete ? 'a finished run' : 'a run that ended early';
  const message = `\`${written}\` holds ${what}; Start Run asks what becomes of it`;
  return finding('information', OUTPUT_KEY, 'output.occupied', message, remedies);
}

/** Goes on from the weights of the run that is there, as this configuration says, in a new folder. */
async function furtherTraining(
  config: ResolvedConfig,
  given: Given,
  { written, free }: { readonly written: string; readonly free: string },
): Promise<Omit<RunRemedy, 'kind' | 'folder'> | undefined> {
  const { model, training } = config;
  const isFull = training.method === 'full';
  const before = await readRunRecord(training.output_dir).then(
    (record) => record.config,
    () => undefined,
  );
  if (before === undefined || (before.training.method === 'full') !== isFull) return undefined;
  const isSameBase =
    before.model.base_model_name_or_path === model.base_model_name_or_path || isFull;
  const source = await resultFolder(
    training.output_dir,
    isFull ? MODEL_CONFIG_FILE : ADAPTER_CONFIG_FILE,
  );
  if (source === undefined || !isSameBase) return undefined;
  const name = source === training.output_dir ? '' : `/${path.basename(source)}`;
  const from = `${written.replace(/[/\\]+$/, '')}${name}`;
  return {
    title: `Train further as \`${path.posix.basename(free)}\``,
    detail: `Begins with what ${name === '' ? 'it' : path.basename(source)} has learned, in a new folder; the run that is there stays.`,
    values: [
      isFull
        ? { path: ['model', 'base_model_name_or_path'], value: from }
        : { path: ['lora', 'init_adapter'], value: from },
      { path: OUTPUT_KEY, value: free },
    ],
    removes: isFull
      ? []
      : decidedByAdapter(config.lora)
          .filter((key) => given('lora', key) !== undefined)
          .map((key) => ['lora', key]),
    step: 'start',
  };
}

/** Where the weights of a run are: its result, or its newest checkpoint that has some. */
async function resultFolder(folder: string, mark: string): Promise<string | undefined> {
  const checkpoints = await runCheckpoints(folder);
  const usable = checkpoints.filter(({ isCurrent, problem }) => isCurrent && problem === null);
  for (const candidate of [folder, ...usable.map((found) => found.folder).toReversed()]) {
    const isThere = await access(path.join(candidate, mark)).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  return undefined;
}

/** A path as a person wrote it, with another name at its end. */
function withName(written: string, name: string): string {
  return written.replace(/[^/\\]+[/\\]*$/, () => name);
}
