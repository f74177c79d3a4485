import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { EVENT_SCHEMAS, type TrainEvent } from '../../../engine/train/events.ts';
import { parseJournalLine } from '../../../engine/train/journal-entry.ts';
import { RUN_FILES } from '../../../engine/train/run-files.ts';
import { RunLock } from '../../../engine/train/run-lock.ts';
import { runChanged } from '../../../server/protocol/runs.ts';
import { LineTail, type TailLine } from '../../../server/runs/line-tail.ts';
import { readRunFolder } from '../../../server/runs/run-summary.ts';
import { MAX_LOG_LINE_BYTES, parseLogLine, RunLog } from '../../../server/trainer/run-log.ts';
import { initialStatus, NEXT_STATES, RUN_STATES } from '../../../server/trainer/run-status.ts';
import { type RunStateFile, writeStateFile } from '../../../server/trainer/state-file.ts';
import { completedEvent, startedEvent, stepEvent } from '../../support/journal-events.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const SINCE = '2026-01-01T00:00:00.000Z';

async function store(folder: string, change: Partial<RunStateFile> = {}): Promise<void> {
  await writeStateFile(folder, {
    version: 1,
    pid: process.pid,
    address: '/tmp/socket',
    protocolVersion: 1,
    heartbeat: new Date().toISOString(),
    queued: SINCE,
    configFile: '/config.lorafa.json',
    status: { ...initialStatus('running', SINCE), step: 7 },
    ...change,
  });
}

async function journal(folder: string, ...entries: (object | string)[]): Promise<void> {
  const lines = entries.map((entry) =>
    typeof entry === 'string' ? entry : `${JSON.stringify({ time: SINCE, ...entry })}\n`,
  );
  await writeFile(path.join(folder, 'events.jsonl'), lines.join(''));
}

describe('a run with a trainer', () => {
  test('lives as long as its process', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await store(folder);
    expect(await readRunFolder(folder)).toMatchObject({
      trainer: { address: '/tmp/socket' },
      summary: {
        folder,
        configFile: '/config.lorafa.json',
        isLive: true,
        isSteerable: true,
        problem: null,
        status: { state: 'running', step: 7 },
      },
    });
    await lock.release();
    const heartbeat = '2026-01-01T00:00:20.000Z';
    await store(folder, { heartbeat });
    expect(await readRunFolder(folder)).toMatchObject({
      trainer: null,
      summary: {
        isLive: false,
        isSteerable: false,
        status: {
          state: 'failed',
          step: 7,
          since: heartbeat,
          reason: { code: 'training.crashed' },
        },
      },
    });
  });

  test('whose last state could not be stored ended as its journal says', async () => {
    const folder = await tempFolder();
    const queued = '2026-01-01T00:00:10.000Z';
    await store(folder, { queued });
    const end = { type: 'failed', code: 'output.not_writable', message: 'The disk is full.' };
    await journal(folder, { time: '2026-01-01T00:00:20.000Z', ...end });
    expect((await readRunFolder(folder))?.summary.status).toMatchObject({
      state: 'failed',
      reason: { code: 'output.not_writable' },
    });
    // The end of an earlier session is none of this one.
    await journal(folder, { time: SINCE, ...end });
    expect((await readRunFolder(folder))?.summary.status.reason).toMatchObject({
      code: 'training.crashed',
    });
  });

  test('that has not been heard of for a while is said to be unheard', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await store(folder, { heartbeat: SINCE });
    const report = await readRunFolder(folder);
    expect(report?.summary.unheard).toBe('The trainer has not been heard of for a while.');
    await lock.release();
  });

  test.each<[string, string | ((state: object) => object), string]>([
    ['nothing', '', 'it is not valid JSON (Unexpected end of JSON input).'],
    ['deep nesting', '['.repeat(100_000), 'it is nested more than 128 levels deep.'],
    ['far too much', ' '.repeat(2 ** 21), 'it has 2 MiB, more than the 1 MiB it may have.'],
    ['a list', '[]', 'it is not a state.'],
    ['another version', () => ({ version: 2 }), '"version" is missing or wrong.'],
    ['no status', () => ({ status: undefined }), '"status" is missing or wrong.'],
    [
      'half a status',
      () => ({ status: { state: 'running' } }),
      '"status.since" is missing or wrong.',
    ],
    ['no time', () => ({ heartbeat: 'yesterday' }), '"heartbeat" is missing or wrong.'],
  ])('a state file that holds %s is told', async (_name, content, problem) => {
    const folder = await tempFolder();
    await store(folder);
    const file = path.join(folder, 'state.json');
    const state = JSON.parse(await readFile(file, 'utf8')) as object;
    const text =
      typeof content === 'string' ? content : JSON.stringify({ ...state, ...content(state) });
    await writeFile(file, text);
    const report = await readRunFolder(folder);
    expect(report).toMatchObject({
      trainer: null,
      summary: {
        isLive: false,
        problem: `state.json cannot be read: ${problem}`,
        status: { state: 'failed', reason: { code: 'checkpoint.corrupt' } },
      },
    });
    expect(runChanged.params.safeParse(report?.summary).success).toBe(true);
    // What the journal says is better than nothing.
    await journal(folder, startedEvent(), stepEvent());
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      problem: `state.json cannot be read: ${problem}`,
      status: { state: 'failed', step: 3, reason: { code: 'training.crashed' } },
    });
  });

  test('a state that lies elsewhere is not looked at', async () => {
    const folder = await tempFolder();
    const elsewhere = await tempFolder();
    await store(elsewhere);
    await symlink(path.join(elsewhere, 'state.json'), path.join(folder, 'state.json'));
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      configFile: null,
      problem: 'state.json cannot be read: a link is in its place.',
    });
  });
});

describe('a run of the command line', () => {
  const started = startedEvent();
  const step = stepEvent();
  const stopped = { type: 'stopped', step: 4, checkpoint_dir: null };
  const completed = completedEvent();

  test.each<[string, object[], object]>([
    ['completed', [completed], { state: 'completed', step: 9 }],
    ['stopped', [stopped], { state: 'stopped', step: 4 }],
    ['ended without a word', [], { state: 'failed', step: 3, loss: 0.5, maxSteps: 9 }],
  ])('%s', async (_name, ends, status) => {
    const folder = await tempFolder();
    await journal(folder, started, step, ...ends);
    await mkdir(path.join(folder, 'checkpoint-3'));
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      isLive: false,
      checkpoints: [{ folder: path.join(folder, 'checkpoint-3'), step: 3 }],
      status,
    });
  });

  test('goes on while its process does, also after an earlier part', async () => {
    const folder = await tempFolder();
    const lock = await RunLock.acquire(folder);
    await journal(folder, started, step, '{"type":"st');
    const live = { isLive: true, isSteerable: false };
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      ...live,
      status: { state: 'running', step: 3 },
    });
    await journal(folder, started, step, stopped);
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      ...live,
      status: { state: 'preparing', step: 4 },
    });
    await lock.release();
  });

  test('that was killed before its first event is one that failed', async () => {
    const folder = await tempFolder();
    await writeFile(path.join(folder, RUN_FILES.config), '{}');
    // Other programs have a file of this name too.
    expect(await readRunFolder(folder)).toBeUndefined();
    await journal(folder);
    const lock = await RunLock.acquire(folder);
    const status = { state: 'preparing', step: 0 };
    expect((await readRunFolder(folder))?.summary).toMatchObject({ isLive: true, status });
    await lock.release();
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      isLive: false,
      problem: null,
      status: { state: 'failed', reason: { code: 'training.crashed' } },
    });
  });
});

describe('a journal that is damaged', () => {
  const deep = '{"a":'.repeat(100_000);

  test.each<[string, (object | string)[], string | null]>([
    ['an entry without its fields', [{ type: 'started' }], 'line 3 is'],
    ['a field of another type', [stepEvent({ step: 'many' as unknown as number })], 'line 3 is'],
    ['a number beyond all measure', ['{"type":"step","step":1e999}\n'], 'line 3 is'],
    ['an entry without a time', [`${JSON.stringify(stepEvent())}\n`], 'line 3 is'],
    ['no object', ['null\n', '7\n', '[]\n'], 'line 3 and 2 more are'],
    ['half a line', ['{"type":"st\n'], 'line 3 is'],
    ['deep nesting', [`${deep}\n`], 'line 3 is'],
    ['a line of many megabytes', [`${'x'.repeat(2 ** 23)}\n`], 'line 3 is'],
    ['an entry of a later version', [{ type: 'rewound', to: 7 }], null],
  ])('%s is left out', async (_name, lines, what) => {
    const folder = await tempFolder();
    await journal(folder, startedEvent(), stepEvent(), ...lines, stepEvent({ step: 4 }));
    const report = await readRunFolder(folder);
    const verb = what?.endsWith('are') ? 'were' : 'was';
    expect(report?.summary).toMatchObject({
      problem: what === null ? null : `events.jsonl ${what} damaged and ${verb} left out.`,
      status: { state: 'failed', step: 4, maxSteps: 9 },
    });
    expect(runChanged.params.safeParse(report?.summary).success).toBe(true);
  });

  test('a last line that was cut off is none once the run goes on', async () => {
    const folder = await tempFolder();
    const cut = `${JSON.stringify(stepEvent()).slice(0, 30)}\n`;
    await journal(folder, startedEvent(), stepEvent(), cut, startedEvent(), stepEvent({ step: 5 }));
    const { summary } = (await readRunFolder(folder))!;
    expect(summary).toMatchObject({ problem: null, status: { step: 5 } });
    await journal(folder, startedEvent(), '{}\n', stepEvent(), cut, startedEvent(), '{}\n');
    expect((await readRunFolder(folder))!.summary.problem).toBe(
      'events.jsonl line 2 and 1 more are damaged and were left out.',
    );
  });

  test('with nothing else in it is a run that says nothing', async () => {
    const folder = await tempFolder();
    await writeFile(path.join(folder, 'events.jsonl'), '{"type":"started"}\n');
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      status: { state: 'failed', reason: { code: 'checkpoint.corrupt' } },
      problem: 'events.jsonl line 1 is damaged and was left out.',
    });
    const lock = await RunLock.acquire(folder);
    expect((await readRunFolder(folder))?.summary).toMatchObject({
      isLive: true,
      status: { state: 'preparing' },
    });
    await lock.release();
  });

  test('a number that was not finite is read as such', () => {
    const entry = { time: SINCE, type: 'eval', step: 1, epoch: 1, eval_loss: 900, eval_runtime: 1 };
    const line = JSON.stringify({ ...entry, eval_perplexity: Math.exp(900) });
    expect(parseJournalLine(line)).toEqual({ ...entry, eval_perplexity: Number.NaN });
  });

  test('a loss that was no number is none', async () => {
    const folder = await tempFolder();
    const entry = { type: 'eval', step: 1, epoch: 1, eval_loss: null, eval_perplexity: null };
    await journal(folder, startedEvent(), { ...entry, eval_runtime: 1 });
    const report = await readRunFolder(folder);
    expect(report?.summary).toMatchObject({ problem: null, status: { evalLoss: null } });
    expect(runChanged.params.safeParse(report?.summary).success).toBe(true);
  });

  test('every event is read as it was written', () => {
    const events: TrainEvent[] = [
      { type: 'progress', task: 'reading', done: 1, total: 2 },
      startedEvent({ computeTrials: [{ mode: 'int8', error: 0.1, seconds: 2 }] }),
      stepEvent(),
      { type: 'eval', step: 1, epoch: 1, eval_loss: 1, eval_perplexity: 2, eval_runtime: 3 },
      { type: 'sample', step: 1, prompt: 'a', text: 'b' },
      { type: 'checkpoint', step: 1, dir: '/run/checkpoint-1' },
      { type: 'verdict', step: 1, verdict: { kind: 'flat', message: 'Why.', advice: 'Try.' } },
      { type: 'warning', message: 'careful' },
      { type: 'stopped', step: 1, checkpoint_dir: null },
      { type: 'cancelled', step: 1, checkpoint_dir: null },
      { type: 'failed', code: 'training.not_finite', message: 'Step 1 gave NaN.' },
      { type: 'completed', adapter_dir: '/run', steps: 1, train_loss: 1, train_runtime: 1 },
    ];
    expect(events.map(({ type }) => type).toSorted()).toEqual(
      Object.keys(EVENT_SCHEMAS).toSorted(),
    );
    for (const event of events) {
      const entry = { time: SINCE, ...event };
      expect(parseJournalLine(JSON.stringify(entry))).toEqual(entry);
    }
  });
});

test('other folders hold no run', async () => {
  const folder = await tempFolder();
  expect(await readRunFolder(folder)).toBeUndefined();
  expect(await readRunFolder(path.join(folder, 'missing'))).toBeUndefined();
});

test('every state can be reached, and every state but the ends can be left', () => {
  const reached = new Set(['queued', ...Object.values(NEXT_STATES).flat()]);
  expect([...reached].toSorted()).toEqual([...RUN_STATES].toSorted());
  const ends = RUN_STATES.filter((state) => NEXT_STATES[state].length === 0);
  expect(ends).toEqual(['completed', 'stopped', 'cancelled', 'failed']);
  for (const state of RUN_STATES.filter((state) => !ends.includes(state))) {
    expect(NEXT_STATES[state]).toContain('failed');
  }
});

test('a log keeps one line for each message, in order', async () => {
  const file = path.join(await tempFolder(), 'run.log');
  const log = await RunLog.open(file);
  void log.add('info', 'state running');
  void log.add('output', 'two\n  lines');
  await log.close();
  const lines: TailLine[] = [];
  for await (const piece of new LineTail(file, MAX_LOG_LINE_BYTES).read()) lines.push(...piece);
  const time = expect.stringMatching(/^\d{4}-/) as string;
  const others = [
    { number: 3, text: 'no form' },
    { number: 4, text: undefined },
  ];
  expect([...lines, ...others].map(parseLogLine)).toEqual([
    { time, level: 'info', text: 'state running' },
    { time, level: 'output', text: 'two ⏎ lines' },
    { time: null, level: 'output', text: 'no form' },
    { time: null, level: 'warning', text: 'Line 4 is too long and was left out.' },
  ]);
});
