import { open } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../../engine/random.ts';
import { processMemory } from '../bench/process-memory.ts';
import { TinyRuns } from '../engine/train/tiny-run.ts';
import { BuiltCli } from '../support/built-cli.ts';
import { faultCount } from './counts.ts';

/*
 * Data far larger than memory: `LORAFA_FAULTS_DATA_MB` megabytes, 400 if nothing else is said. A run over a
 * fortieth of them, which is streamed as well, says how much memory is needed in any case.
 */
const MEGABYTES = faultCount('DATA_MB', 400);

/** Steps that are done: three windows of rows. */
const STEPS = 24;

/** Bytes by which a run may take more than one over a fortieth of the data; the index is 8 MB of 10 GB. */
const MORE_MEMORY = 48e6;

/** Seconds to the first step; the disk may give so many bytes a second. */
const START_SECONDS = 20;
const SCAN_RATE = 200e6;

/** What was seen of a run. */
interface SeenRun {
  readonly peakRss: number;
  readonly secondsToFirstStep: number;
}

test(`${MEGABYTES} MB of rows are learned in the memory of a fortieth, at once`, async () => {
  const built = await BuiltCli.build();
  onTestFinished(() => built.remove());
  const tiny = await TinyRuns.create(built.folder);
  const [small, large] = [MEGABYTES / 40, MEGABYTES].map((size) => size * 1e6);
  const few = await train(built, tiny, await writeRows(tiny.fresh('few'), small!));
  const many = await train(built, tiny, await writeRows(tiny.fresh('many'), large!));
  const describe = ({ peakRss, secondsToFirstStep }: SeenRun): string =>
    `${(peakRss / 1e6).toFixed(0)} MB at most, first step after ${secondsToFirstStep.toFixed(1)} s`;
  console.log(`${small! / 1e6} MB: ${describe(few)}\n${large! / 1e6} MB: ${describe(many)}`);
  expect(many.peakRss).toBeLessThan(few.peakRss + MORE_MEMORY);
  expect(many.secondsToFirstStep).toBeLessThan(START_SECONDS + large! / SCAN_RATE);
});

/** Writes rows of some hundred bytes, as many as make a file of that size. */
async function writeRows(name: string, size: number): Promise<string> {
  const file = `${name}.jsonl`;
  const random = new Random(1);
  const rows = Array.from({ length: 4000 }, (_, index) => {
    const answer = 'abc '.repeat(1 + random.below(200));
    return JSON.stringify({ question: `What comes after ${index}?`, answer });
  });
  const portion = Buffer.from(rows.map((row) => `${row}\n`).join(''));
  const handle = await open(file, 'w');
  try {
    for (let written = 0; written < size; written += portion.length) await handle.write(portion);
  } finally {
    await handle.close();
  }
  return file;
}

async function train(built: BuiltCli, tiny: TinyRuns, file: string): Promise<SeenRun> {
  const config = await tiny.file(
    `${path.basename(file, '.jsonl')}.lorafa.json`,
    tiny.configText({
      data: { dataset_name_or_path: file, streaming: true, buffer_size: 2048 },
      training: { max_steps: STEPS, per_device_train_batch_size: 256, logging_steps: 1 },
    }),
  );
  const began = performance.now();
  let [peakRss, secondsToFirstStep] = [0, Infinity];
  const { code, stdout } = await built.run(['train', config, '--json'], {
    env: { LORAFA_CACHE_DIR: path.join(built.folder, 'cache') },
    onOutput: (text, { pid }) => {
      peakRss = Math.max(peakRss, processMemory(pid!).peakRss ?? 0);
      if (secondsToFirstStep === Infinity && text.includes('"type":"step"')) {
        secondsToFirstStep = (performance.now() - began) / 1000;
      }
    },
  });
  expect(code, stdout.slice(-1000)).toBe(0);
  return { peakRss, secondsToFirstStep };
}
