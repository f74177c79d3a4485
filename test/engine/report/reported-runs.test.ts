import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { grouped, scalarsOf } from '../../../engine/report/scalars.ts';
import { scalarEvent, sessionStartEvent } from '../../../engine/report/tensorboard-event.ts';
import { type JournalEntry, parseJournalLine } from '../../../engine/train/journal-entry.ts';
import { readRunRecord } from '../../../engine/train/run-record.ts';
import { goldenPath } from '../../support/golden.ts';
import { stopAfter } from '../train/stop-after.ts';
import { bytesOf, type ConfigChanges, ofType, run } from '../train/tiny-run.ts';
import { useTinyRuns } from '../train/use-tiny-runs.ts';

const tiny = useTinyRuns();

type Targets = ResolvedConfig['training']['report_to'];

function reported(report_to: Targets, training: ConfigChanges['training'] = {}): ResolvedConfig {
  return tiny().config({
    data: { eval_split: 2 },
    training: {
      ...{ report_to, max_steps: 4, save_steps: 1, save_total_limit: 9, eval_steps: 2 },
      ...{ sample_prompts: ['Hi', 'Up?'], sample_steps: 2 },
      ...training,
    },
  });
}

const ALL: Targets = ['tensorboard', 'mlflow', 'wandb'];

let made: Promise<ResolvedConfig> | undefined;

/** A run that was stopped after step 3, and went on from step 1. */
function runInTwoSessions(): Promise<ResolvedConfig> {
  made ??= (async () => {
    const config = reported(ALL);
    await stopAfter(3, config);
    const { output_dir } = config.training;
    const resume_from_checkpoint = path.join(output_dir, 'checkpoint-1');
    await run(reported(ALL, { output_dir, resume_from_checkpoint }));
    return config;
  })();
  return made;
}

async function journalOf(config: ResolvedConfig): Promise<readonly JournalEntry[]> {
  const lines = String(await bytesOf(config, 'events.jsonl'))
    .trimEnd()
    .split('\n');
  return lines.map((line) => parseJournalLine(line)).filter((entry) => typeof entry === 'object');
}

/** Files below a folder, by their paths. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)))
    .toSorted();
}

const reports = ({ training }: ResolvedConfig): string => path.join(training.output_dir, 'runs');

describe('TensorBoard', () => {
  test('has every number of the journal, and is told where a session goes on', async () => {
    const config = await runInTwoSessions();
    const { tracked } = await readRunRecord(config.training.output_dir);
    const files = (await filesIn(reports(config))).filter((file) => file.includes('tfevents'));
    expect(files).toHaveLength(2);
    expect(new Set(files.map((file) => path.dirname(file)))).toEqual(
      new Set([`${path.basename(config.training.output_dir)}-${tracked!.id.slice(0, 8)}`]),
    );
    const sessions = await Promise.all(
      files.map((file) => readFile(path.join(reports(config), file))),
    );
    const entries = await journalOf(config);
    const second = entries.findLastIndex(({ type }) => type === 'started');
    for (const [session, told] of [
      [sessions[0]!, entries.slice(0, second)],
      [sessions[1]!, entries.slice(second)],
    ] as const) {
      const scalars = told.flatMap((entry) => scalarsOf(entry) ?? []);
      expect(scalars.length).toBeGreaterThan(3);
      for (const { step, values } of scalars) {
        for (const [name, value] of Object.entries(grouped({ step, values }))) {
          expect(session.includes(withoutTime(scalarEvent({ time: 0, step }, name, value)))).toBe(
            true,
          );
        }
      }
      expect(session.includes('samples/2/text_summary')).toBe(true);
    }
    expect(sessions[1]!.includes(withoutTime(sessionStartEvent({ time: 0, step: 2 })))).toBe(true);
  });

  test('a shared folder keeps runs of one name apart', async () => {
    const logging_dir = tiny().fresh('shared');
    const folders = ['a', 'b'].map((parent) => path.join(tiny().fresh(parent), 'first'));
    for (const output_dir of folders) {
      await run(reported(['tensorboard'], { output_dir, logging_dir, max_steps: 1 }));
      expect(await readdir(output_dir)).not.toContain('runs');
    }
    const names = await readdir(logging_dir);
    expect(names).toHaveLength(2);
    for (const name of names) expect(name).toMatch(/^first-[0-9a-f]{8}$/);
  });
});

describe('MLflow', () => {
  test('has the values of one run, each step once, and how it ended', async () => {
    const config = await runInTwoSessions();
    const { tracked } = await readRunRecord(config.training.output_dir);
    const folder = path.join(reports(config), 'mlruns', '0');
    expect((await readdir(folder)).toSorted()).toEqual([tracked!.id, 'meta.yaml'].toSorted());
    const text = async (...parts: string[]): Promise<string> =>
      String(await readFile(path.join(folder, tracked!.id, ...parts)));
    const entries = await journalOf(config);
    const latest = new Map<string, number>();
    for (const { step, values } of entries.flatMap((entry) => scalarsOf(entry) ?? [])) {
      for (const [name, value] of Object.entries(values)) latest.set(`${name} ${step}`, value);
    }
    for (const name of ['loss', 'grad_norm', 'eval_loss', 'train_loss', 'num_tokens']) {
      const written = (await text('metrics', name))
        .trimEnd()
        .split('\n')
        .map((line) => {
          const [, value, step] = line.split(' ');
          return [`${name} ${step}`, Number(value)] as const;
        });
      const expected = [...latest].filter(([key]) => key.startsWith(`${name} `));
      expect(written).toEqual(expected);
    }
    const keysOf = (yaml: string): readonly string[] => yaml.match(/^\w+(?=:)/gm) ?? [];
    const meta = await text('meta.yaml');
    const golden = await readFile(goldenPath('reports', 'mlflow', 'run.yaml'));
    expect(keysOf(meta)).toEqual(keysOf(String(golden)));
    expect(meta).toContain('status: 3\n');
    expect(await text('params', 'training.max_steps')).toBe('4');
    expect(JSON.parse(await text('artifacts', 'configuration.json'))).toMatchObject({
      training: { max_steps: 4 },
    });
    const samples = (await text('artifacts', 'samples.jsonl')).trimEnd().split('\n');
    expect(samples.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([
      2, 2, 4, 4,
    ]);
  });

  test('what was cut off by a crash goes', async () => {
    const config = reported(['mlflow']);
    await stopAfter(2, config);
    const { output_dir } = config.training;
    const { tracked } = await readRunRecord(output_dir);
    const metrics = path.join(reports(config), 'mlruns', '0', tracked!.id, 'metrics');
    await writeFile(path.join(metrics, 'loss'), '17 0.5 1\n18 0.4 2\n19 0.');
    await run(reported(['mlflow'], { output_dir, resume_from_checkpoint: 'latest' }));
    const lines = String(await readFile(path.join(metrics, 'loss'))).split('\n');
    expect(lines.slice(0, 2)).toEqual(['17 0.5 1', '18 0.4 2']);
    expect(lines.slice(2).map((line) => line.split(' ')[2])).toEqual(['3', '4', undefined]);
  });
});

describe('Weights & Biases', () => {
  test('has a log for each session of one run', async () => {
    const config = await runInTwoSessions();
    const { tracked } = await readRunRecord(config.training.output_dir);
    const id = tracked!.id.slice(0, 8);
    const files = await filesIn(path.join(reports(config), 'wandb'));
    expect(files).toHaveLength(2);
    for (const file of files) {
      expect(file).toMatch(new RegExp(`^offline-run-\\d{8}_\\d{6}-${id}[\\\\/]run-${id}\\.wandb$`));
    }
    const [first, second] = await Promise.all(
      files.map((file) => readFile(path.join(reports(config), 'wandb', file), 'latin1')),
    );
    const lossesOf = (text: string): readonly number[] =>
      [...text.matchAll(/train\/loss...([\d.]+)/gs)].map(([, loss]) => Number(loss));
    const losses = ofType({ events: await journalOf(config) }, 'step').map(({ loss }) => loss);
    // Each is in a history and in the summary after it.
    const twice = losses.flatMap((loss) => [loss, loss]);
    expect([...lossesOf(first!), ...lossesOf(second!)]).toEqual(twice);
  });
});

describe('a run goes on without a tracker', () => {
  test('that cannot write at all, with one warning', async () => {
    const logging_dir = path.join(await tiny().file('a-file', ''), 'runs');
    const config = reported(ALL, { logging_dir });
    const finished = await run(config);
    expect(finished.result.status).toBe('completed');
    const warnings = ofType(finished, 'warning').map(({ message }) => message);
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(
      /^Cannot write to .*a part of that path is a file, not a folder; choose another training\.logging_dir\. The run goes on and is not reported to TensorBoard any more\.$/,
    );
    expect((await journalOf(config)).at(-1)).toMatchObject({ type: 'completed' });
  });

  test.skipIf(process.platform === 'win32')(
    'for which a link lies in the folder of the reports, and nothing is written behind it',
    async () => {
      const outside = tiny().fresh('outside');
      await mkdir(outside);
      const logging_dir = tiny().fresh('logs');
      await mkdir(logging_dir);
      for (const name of ['mlruns', 'wandb']) await symlink(outside, path.join(logging_dir, name));
      const finished = await run(reported(['mlflow', 'wandb'], { logging_dir, max_steps: 1 }));
      expect(finished.result.status).toBe('completed');
      expect(ofType(finished, 'warning').map(({ message }) => message)).toEqual([
        expect.stringContaining(
          'a link is in its place; choose another training.logging_dir. The run goes on',
        ),
        expect.stringContaining('not reported to Weights & Biases any more.'),
      ]);
      expect(await readdir(outside)).toEqual([]);
    },
  );

  test.skipIf(process.platform === 'win32')(
    'where the folder of the reports in that of the run is a link',
    async () => {
      const config = reported(['tensorboard'], { max_steps: 1 });
      const outside = tiny().fresh('outside');
      await mkdir(outside);
      await mkdir(config.training.output_dir);
      await symlink(outside, reports(config));
      const finished = await run(config);
      expect(ofType(finished, 'warning')).toHaveLength(1);
      expect(await readdir(outside)).toEqual([]);
    },
  );

  test('whose folder becomes a file between two sessions', async () => {
    const config = reported(['tensorboard']);
    await stopAfter(2, config);
    const { output_dir } = config.training;
    await rm(reports(config), { recursive: true });
    await writeFile(reports(config), 'mine');
    const finished = await run(
      reported(['tensorboard'], { output_dir, resume_from_checkpoint: 'latest' }),
    );
    expect(finished.result.status).toBe('completed');
    expect(ofType(finished, 'warning')).toHaveLength(1);
    expect(await readFile(reports(config), 'utf8')).toBe('mine');
  });
});

/** The bytes of an event after its time. */
function withoutTime(event: Uint8Array): Buffer {
  return Buffer.from(event.subarray(9));
}
