import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configSchema } from '../../../../engine/config/schema.ts';
import { parseJson } from '../../../../engine/json.ts';
import { isJsonObject } from '../../../../engine/json-file.ts';
import { nf4Of } from '../../../../engine/plan/run-model.ts';
import { openCheckpoint } from '../../../../engine/train/checkpoint-folders.ts';
import {
  describeOtherEnvironment,
  requireSameIdentity,
} from '../../../../engine/train/identity.ts';
import { isOnLineage, nextLineage } from '../../../../engine/train/lineage.ts';
import { readLock } from '../../../../engine/train/run-lock.ts';
import { readRunRecord, writeRunRecord } from '../../../../engine/train/run-record.ts';
import {
  STATE_FILE,
  type TrainerState,
  writeTrainerState,
} from '../../../../engine/train/trainer-state.ts';
import { runChanged } from '../../../../server/protocol/runs.ts';
import { readRunFolder } from '../../../../server/runs/run-summary.ts';
import { RunWatcher } from '../../../../server/runs/run-watcher.ts';
import { RunRegistry } from '../../../../server/trainer/run-registry.ts';
import { initialStatus } from '../../../../server/trainer/run-status.ts';
import { startedEvent, stepEvent } from '../../../support/journal-events.ts';
import type { FuzzedReader, PreparedReader } from '../reader.ts';
import { jsonBytes, jsonLines } from './tiny-files.ts';

const TIME = '2026-01-01T00:00:00.000Z';

const STATE = {
  version: 1,
  pid: 4_000_000,
  address: null,
  protocolVersion: 1,
  heartbeat: TIME,
  queued: TIME,
  configFile: '/home/ada/tune.lorafa.json',
  status: {
    ...initialStatus('running', TIME),
    reason: { code: 'training.crashed', message: 'It crashed.' },
    progress: { task: 'reading rows', done: 1, total: 2 },
    step: 3,
    maxSteps: 10,
    loss: 0.5,
    memory: { resident: 1e8, peak: 2e8 },
    heard: TIME,
  },
};

const JOURNAL = [
  { type: 'progress', task: 'reading rows', done: 1, total: 2 },
  startedEvent({ computeTrials: [{ mode: 'int8', error: 0.1, seconds: 1 }] }),
  stepEvent({ step: 1 }),
  { type: 'eval', step: 1, epoch: 1, eval_loss: 1, eval_perplexity: 2.7, eval_runtime: 1 },
  { type: 'sample', step: 1, prompt: 'Hi', text: 'Hello.' },
  { type: 'checkpoint', step: 1, dir: '/runs/one/checkpoint-1' },
  { type: 'verdict', step: 1, verdict: { kind: 'flat', message: 'Why.', advice: 'Try.' } },
  { type: 'warning', message: 'Careful.' },
  { type: 'stopped', step: 1, checkpoint_dir: null },
  { type: 'completed', adapter_dir: '/runs/one', steps: 2, train_loss: 1, train_runtime: 1 },
].map((event) => ({ time: TIME, ...event }));

const TRAINER_STATE: TrainerState = {
  version: 2,
  global_step: 4,
  epoch: 1,
  step_in_epoch: 1,
  num_tokens: 1000,
  total_loss: 4.5,
  unreported_loss: 0.5,
  unreported_steps: 1,
  seed: 42,
  compute: 'int8',
  identity: { 'training.learning_rate': 1e-4, 'number of steps': 10, 'lora.r': 8 },
  environment: { device: 'cpu', threads: 4 },
  lineage: [
    { session: 'a', from: 0 },
    { session: 'b', from: 2 },
  ],
};

/** Reads all that a window shows of a run, and makes sure that the window takes it. */
async function showRun(folder: string): Promise<void> {
  const report = await readRunFolder(folder);
  if (report !== undefined) runChanged.params.parse(report.summary);
  const watcher = new RunWatcher(folder, { onEvents: () => undefined, onLog: () => undefined });
  await watcher.read();
}

function shownFile(
  name: string,
  kind: FuzzedReader['kind'],
  seeds: readonly Uint8Array[],
): FuzzedReader {
  return {
    name,
    kind,
    prepare: async (folder) => ({
      file: path.join(folder, name),
      seeds,
      read: () => showRun(folder),
    }),
  };
}

/** A checkpoint whose other files are none, so that its state is all there is to read. */
async function checkpoint(folder: string): Promise<PreparedReader> {
  const file = path.join(folder, STATE_FILE);
  await writeTrainerState(folder, TRAINER_STATE, {});
  return {
    file,
    seeds: [await readFile(file)],
    read: async () => {
      const { state } = await openCheckpoint(folder);
      isOnLineage(state, TRAINER_STATE.lineage);
      describeOtherEnvironment(state.environment, TRAINER_STATE.environment);
      requireSameIdentity(folder, state.identity, TRAINER_STATE.identity);
    },
  };
}

/** Puts the digest right, as somebody would who means it: what is inside is looked at only then. */
async function sign(file: string): Promise<void> {
  let json: unknown;
  try {
    json = parseJson(await readFile(file, 'utf8'));
  } catch {
    return;
  }
  if (!isJsonObject(json)) return;
  const { digest: _, ...content } = json;
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  await writeFile(file, JSON.stringify({ ...content, digest }));
}

/** Run folders: what a window shows of them, and what a run goes on from. */
export const runReaders: readonly FuzzedReader[] = [
  shownFile('state.json', 'json', [jsonBytes(STATE, 2)]),
  shownFile('events.jsonl', 'json-lines', [jsonLines(...JOURNAL)]),
  shownFile('run.log', 'bytes', [
    Buffer.from(`${TIME} info state running\n${TIME} output some text ⏎ more\nno form\n`),
  ]),
  {
    name: 'run.json',
    kind: 'json',
    prepare: async (folder) => {
      const file = path.join(folder, 'run.json');
      const config = configSchema.parse({
        model: { base_model_name_or_path: '/models/tiny', quantization: 'nf4' },
        data: { dataset_name_or_path: ['/rows.jsonl'] },
        training: { output_dir: folder, lr_scheduler_kwargs: { min_lr: 1e-5 } },
      });
      await writeRunRecord(folder, { config, lineage: nextLineage() });
      return {
        file,
        seeds: [await readFile(file), jsonBytes({ version: 1, config })],
        read: async () => void nf4Of((await readRunRecord(folder)).config),
      };
    },
  },
  { name: 'trainer_state.json', kind: 'json', prepare: checkpoint },
  {
    name: 'trainer_state.json with its digest put right',
    kind: 'json',
    prepare: async (folder) => {
      const prepared = await checkpoint(folder);
      const read = async (): Promise<void> => {
        await sign(prepared.file);
        await prepared.read();
      };
      return { ...prepared, read };
    },
  },
  {
    name: 'run.lock',
    kind: 'json',
    prepare: async (folder) => ({
      file: path.join(folder, 'run.lock'),
      seeds: [
        jsonBytes({ pid: 4_000_000, host: 'here', started: '12345', boot: 'x', token: 'abc' }),
      ],
      read: async () => {
        await readLock(folder);
        await showRun(folder);
      },
    }),
  },
  {
    name: 'entry of the registry',
    kind: 'json',
    prepare: async (folder) => {
      const runs = path.join(folder, 'runs');
      await mkdir(runs);
      return {
        file: path.join(runs, 'entry.json'),
        seeds: [jsonBytes({ version: 1, folder: '/runs/one', configFile: '/one.lorafa.json' })],
        read: async () => void (await new RunRegistry(runs).list()),
      };
    },
  },
];
