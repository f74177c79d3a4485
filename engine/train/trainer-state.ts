import { createHash } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import { codeOf, readBoundedFile } from '../bounded-file.ts';
import { messageOf } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { parseJson } from '../json.ts';
import { COMPUTE_MODES } from '../weights/compute-mode.ts';
import { learningSchema } from './learning.ts';
import { lineageSchema } from './lineage.ts';
import { OtherVersionCheckpoint, UnusableCheckpoint } from './unusable-checkpoint.ts';

/** The file of a checkpoint that is written last: with it, the checkpoint is complete. */
export const STATE_FILE = 'trainer_state.json';

/** More than any state has: it grows with the number of sessions alone, some thousands of which fit. */
const MAX_BYTES = 2 ** 20;

const stateSchema = z.object({
  version: z.literal(2),
  /** Optimizer steps done. */
  global_step: z.int().nonnegative(),
  /** Passes over the data that are complete. */
  epoch: z.int().nonnegative(),
  /** Optimizer steps done in the pass that is not. */
  step_in_epoch: z.int().nonnegative(),
  /** Where data are streamed: the window of the pass, and the optimizer steps done in it. */
  window: z.object({ index: z.int().nonnegative(), step: z.int().nonnegative() }).exactOptional(),
  /** Tokens seen, padding excluded. */
  num_tokens: z.int().nonnegative(),
  /** Sum of the losses of all steps done. */
  total_loss: z.number(),
  /** Sum and number of the step losses since the last report. */
  unreported_loss: z.number(),
  unreported_steps: z.int().nonnegative(),
  /** Its course so far; those of earlier versions know nothing of it. */
  learning: learningSchema.exactOptional(),
  /** Evaluations since the last one that was better; see `early_stopping_patience`. */
  early_stopping_patience_counter: z.int().nonnegative().exactOptional(),
  /** Decides, with the numbers above, the order of the data and every dropout mask to come. */
  seed: z.int().nonnegative(),
  /** How products are computed, where the run chose that itself (`engine.compute: "auto"`). */
  compute: z.enum(COMPUTE_MODES).exactOptional(),
  /** What a run must have in common with this one to go on from here. */
  identity: z.record(z.string(), z.json()),
  /** What else the last bits of each step depend on, such as the device. */
  environment: z.record(z.string(), z.json()),
  /** The sessions that led here. */
  lineage: lineageSchema,
});

/** Where a run stands: with the weights and moments, all that decides its future. */
export type TrainerState = Readonly<z.infer<typeof stateSchema>>;

const storedSchema = stateSchema.extend({
  /** The other files of the checkpoint. */
  files: z.record(
    z.string().regex(/^[\w.-]+$/),
    z.object({ bytes: z.int().nonnegative(), sha256: z.string() }),
  ),
  /** SHA-256 of all of the above, as compact JSON. */
  digest: z.string(),
});

/** Size and SHA-256 of the files of a checkpoint, by name. */
export type CheckpointFiles = z.infer<typeof storedSchema>['files'];

/** A state as it is on disk. */
export interface StoredState {
  readonly state: TrainerState;
  readonly files: CheckpointFiles;
}

/** Writes the state of a checkpoint whose other files are on disk. Throws `output.not_writable`. */
export async function writeTrainerState(
  folder: string,
  state: TrainerState,
  files: CheckpointFiles,
): Promise<void> {
  const content = { ...state, files };
  const json = JSON.stringify({ ...content, digest: digestOf(content) }, null, 2);
  await writeFileAtomic(path.join(folder, STATE_FILE), `${json}\n`);
}

/**
 * Reads where a checkpoint's run stood.
 *
 * @throws UnusableCheckpoint when it is missing or damaged, OtherVersionCheckpoint
 */
export async function readTrainerState(folder: string): Promise<StoredState> {
  const file = path.join(folder, STATE_FILE);
  const fail = (problem: string, cause?: unknown): UnusableCheckpoint =>
    new UnusableCheckpoint(folder, `${STATE_FILE} ${problem}`, { file, cause });
  let json: unknown;
  try {
    json = parseJson(String(await readBoundedFile(file, MAX_BYTES, 'refuse')));
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT';
    throw fail(isMissing ? 'is missing' : `cannot be read (${messageOf(error)})`, error);
  }
  const version = z.object({ version: z.int() }).safeParse(json).data?.version;
  if (version !== undefined && version !== stateSchema.shape.version.value) {
    const other = version < stateSchema.shape.version.value ? 'an earlier' : 'a later';
    throw new OtherVersionCheckpoint(folder, `${other} version of LoRA-FA wrote it`, {
      file,
      wayOut: 'start anew in another training.output_dir with the checkpoint as lora.init_adapter',
    });
  }
  const parsed = storedSchema.safeParse(json);
  if (!parsed.success) throw fail('is broken', parsed.error);
  const { digest, ...content } = json as z.infer<typeof storedSchema>;
  if (digest !== digestOf(content)) throw fail('was changed or damaged after it was written');
  const { files, digest: _, ...state } = parsed.data;
  return { state, files };
}

/** Objects keep the order of their keys through JSON, and numbers their value. */
function digestOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
