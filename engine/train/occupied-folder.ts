import { readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { ResolvedConfig } from '../config/schema.ts';
import { LorafaError } from '../errors.ts';
import { notWritable } from '../files/not-writable.ts';
import { ADAPTER_CONFIG_FILE } from '../lora/adapter.ts';
import { REPORTS_FOLDER } from '../report/report-folder.ts';
import { isCheckpointName } from './checkpoint-folders.ts';
import { misplacedReports } from './misplaced-reports.ts';
import { MODEL_FILE } from './result-files.ts';
import { EARLY_FILES, isUnfinished, RUN_FILES } from './run-files.ts';
import { readLineage, readRunRecord } from './run-record.ts';
import { hasSameSettings } from './run-settings.ts';
import { readTrainerState } from './trainer-state.ts';

/** What an output folder holds, so that a run cannot use it. */
export interface Occupant {
  /** The run that is there is not that of the checkpoint to resume, or what is there is no run. */
  readonly kind: 'run' | 'other run' | 'other files';
  /** Names of what is there, of other files. */
  readonly names: readonly string[];
  /** Whether the run that is there came to its end and left its result. */
  readonly isComplete: boolean;
}

/** An output folder that cannot be used: `output.not_writable`. */
export class OccupiedError extends LorafaError {
  /** What is the matter: the folder and what it holds, without a full stop. */
  readonly problem: string;
  /** A folder beside it that can be used. */
  readonly free: string;
  /** Whether the run that is there may go on as the configuration says. */
  readonly canResume: boolean;

  constructor(folder: string, problem: string, free: string, canResume: boolean) {
    const resume = canResume
      ? ', or go on with that run by training.resume_from_checkpoint "latest"'
      : '';
    const sentence = `${folder} ${problem}`;
    super(
      'output.not_writable',
      `${sentence}; choose another training.output_dir (${free} is free)${resume}.`,
      { location: { file: folder } },
    );
    this.problem = sentence;
    this.free = free;
    this.canResume = canResume;
  }
}

/** What a run has before there is anything of it worth keeping. */
const BARE_FILES: ReadonlySet<string> = new Set([...Object.values(RUN_FILES), REPORTS_FOLDER]);

/**
 * Makes sure that a run may use its output folder: it is empty or new, holds a run that is to go on,
 * or one that ended before there was anything of it to keep.
 *
 * @throws OccupiedError; LorafaError `checkpoint.corrupt` where it cannot be told whether the run
 * that is there is that of the checkpoint to resume, and as {@link misplacedReports} says
 */
export async function refuseOccupied(config: ResolvedConfig): Promise<void> {
  const misplaced = misplacedReports(config);
  if (misplaced !== undefined) throw misplaced;
  const occupant = await occupantOf(config);
  if (occupant === undefined) return;
  const { output_dir: folder, resume_from_checkpoint: resumed } = config.training;
  const problems: Readonly<Record<Occupant['kind'], string>> = {
    run: 'holds a run already',
    'other run': `holds a run already, which is not that of ${resumed}`,
    'other files': `holds other files (${occupant.names.slice(0, 3).join(', ')}…)`,
  };
  const canResume = occupant.kind === 'run' && (await mayResume(config, occupant));
  throw new OccupiedError(folder, problems[occupant.kind], await freeFolder(folder), canResume);
}

/**
 * What keeps a run from using its output folder; undefined if nothing does.
 *
 * @throws LorafaError as {@link refuseOccupied}
 */
export async function occupantOf({
  training: { output_dir: folder, resume_from_checkpoint: resumed },
}: ResolvedConfig): Promise<Occupant | undefined> {
  const names = (await listFolder(folder)).filter((name) => !isUnfinished(name));
  const others = names.filter((name) => !EARLY_FILES.has(name));
  if (others.length === 0) return undefined;
  const isRun = names.includes(RUN_FILES.config) || names.some(isCheckpointName);
  if (!isRun) return { kind: 'other files', names: others, isComplete: false };
  if (names.every((name) => BARE_FILES.has(name))) return undefined;
  if (resumed !== undefined && (await isOfRun(resumed, folder))) return undefined;
  const isComplete = names.includes(ADAPTER_CONFIG_FILE) || names.includes(MODEL_FILE);
  return { kind: resumed === undefined ? 'run' : 'other run', names: others, isComplete };
}

/** Whether the run in the output folder, which did not come to its end, is one of this configuration. */
export async function mayResume(
  config: ResolvedConfig,
  { isComplete }: Occupant,
): Promise<boolean> {
  if (isComplete) return false;
  return readRunRecord(config.training.output_dir).then(
    (record) => hasSameSettings(record.config, config),
    () => false,
  );
}

/**
 * A folder beside one that is taken, for the next run of its kind: `first-2` after `first`, and
 * `first-3` after that.
 */
export async function freeFolder(folder: string): Promise<string> {
  const [, name, number] = /^(.*?)(?:-([1-9]\d?\d?))?$/s.exec(path.basename(folder))!;
  const parent = path.dirname(folder);
  const taken = new Set(await readdir(parent).catch(() => []));
  let next = number === undefined ? 2 : Number(number) + 1;
  while (taken.has(`${name}-${next}`)) next += 1;
  return path.join(parent, `${name}-${next}`);
}

/** Whether a checkpoint is one of the run in a folder, or of another copy of it. */
async function isOfRun(checkpoint: string, folder: string): Promise<boolean> {
  if (checkpoint === 'latest') return true;
  const [own, parent] = await Promise.all(
    [folder, path.dirname(checkpoint)].map((name) => realpath(name).catch(() => name)),
  );
  if (own === parent) return true;
  const { state } = await readTrainerState(checkpoint);
  const way = await readLineage(folder);
  return way !== undefined && way[0]!.session === state.lineage[0]!.session;
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw notWritable(folder, error);
  }
}
