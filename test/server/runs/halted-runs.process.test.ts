import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LOCK_FILE, readLock } from '../../../engine/train/run-lock.ts';
import { ENDLESS, useRealRuns } from './real-runs.ts';

/**
 * Runs that were halted (a laptop that slept, SIGSTOP, a container that was frozen) while another
 * process took their folder over, and runs whose container is gone.
 */

const runs = useRealRuns();

/** A process on another computer, which took the folder. */
const OTHER = {
  pid: 4_194_304 * 2,
  host: 'elsewhere',
  started: null,
  boot: 'another',
  namespace: 'pid:[1]',
  token: 'other',
};

/** All that is in a run folder. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const isFile = await Promise.all(
    names.map(async (name) => (await stat(path.join(folder, name))).isFile()),
  );
  const contents = names.map(
    async (name, index): Promise<[string, string]> => [
      name,
      isFile[index] ? await readFile(path.join(folder, name), 'latin1') : '',
    ],
  );
  return new Map(await Promise.all(contents));
}

/** Starts `lorafa train` without an end; resolves after some steps and a checkpoint. */
async function startCli(before: readonly string[] = []): Promise<{
  run: ChildProcess;
  folder: string;
  ended: Promise<{ code: number | null; stdout: string }>;
}> {
  const { configFile, folder } = await runs().configured({ max_steps: ENDLESS, save_steps: 3 });
  const cli = [
    process.execPath,
    path.join(runs().built.folder, 'out/cli.js'),
    'train',
    configFile,
    '--json',
  ];
  const [program, ...args] = [...before, ...cli];
  const run = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void run.kill('SIGKILL'));
  let stdout = '';
  const ended = once(run, 'close').then(([code]) => ({ code: code as number | null, stdout }));
  await new Promise<void>((resolve, reject) => {
    void ended.then(() => reject(new Error(stdout)));
    run.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('"step":4')) resolve();
    });
  });
  return { run, folder, ended };
}

async function untilHalted(pid: number): Promise<void> {
  const state = () => readFile(`/proc/${pid}/stat`, 'utf8').then((text) => text.split(') ')[1]![0]);
  await expect.poll(state).toBe('T');
}

describe.runIf(process.platform === 'linux')('a run that was halted', () => {
  test('of the command line: it ends, and writes nothing', async () => {
    const { run, folder, ended } = await startCli();
    run.kill('SIGSTOP');
    await untilHalted(run.pid!);
    await writeFile(path.join(folder, LOCK_FILE), JSON.stringify(OTHER));
    const before = await contentOf(folder);
    // Longer than it relies on its last look.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    run.kill('SIGCONT');
    const { code, stdout } = await ended;
    expect(stdout).toContain(`${folder} is no longer this run's`);
    expect(code).not.toBe(0);
    const after = await contentOf(folder);
    // What the system had under way when the process was halted comes to its end.
    const [journal, longer] = [before, after].map((content) => content.get('events.jsonl')!);
    expect(longer!.slice(journal!.length).split('\n').length).toBeLessThanOrEqual(2);
    expect(after.get(LOCK_FILE)).toBe(JSON.stringify(OTHER));
    expect([...after.keys()].filter((name) => !before.has(name))).toEqual([]);
  });

  test('of a trainer: both its processes end, and write nothing', async () => {
    const observed = runs().observe();
    const folder = await runs().startEndless(observed);
    // Nothing is under way then.
    await observed.manager.control(folder, 'pause');
    await observed.untilState(folder, 'paused');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const trainer = (await readLock(folder))!.pid;
    const compute = Number(
      observed.lines.map(({ text }) => /computing in process (\d+)/.exec(text)?.[1]).find(Boolean),
    );
    for (const pid of [trainer, compute]) process.kill(pid, 'SIGSTOP');
    for (const pid of [trainer, compute]) await untilHalted(pid);
    await writeFile(path.join(folder, LOCK_FILE), JSON.stringify(OTHER));
    const before = await contentOf(folder);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (const pid of [compute, trainer]) process.kill(pid, 'SIGCONT');
    for (const pid of [trainer, compute]) {
      await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
    }
    expect(await contentOf(folder)).toEqual(before);
  });

  test('of a trainer is said to be so while it is, and can be ended', async () => {
    const folder = await runs().startEndless(runs().observe());
    const observed = runs().observe(1000);
    await observed.manager.list();
    const { pid } = (await readLock(folder))!;
    process.kill(pid, 'SIGSTOP');
    const halted = await observed.untilRun(folder, ({ unheard }) => unheard !== null);
    expect(halted).toMatchObject({ isLive: true, status: { state: 'running' } });
    expect(halted.unheard).toContain(`The process that leads this run (${pid}) does not answer`);
    process.kill(pid, 'SIGCONT');
    await observed.untilRun(folder, ({ unheard }) => unheard === null);
    process.kill(pid, 'SIGSTOP');
    await observed.untilRun(folder, ({ unheard }) => unheard !== null);
    process.kill(pid, 'SIGKILL');
    const ended = await observed.untilRun(folder, ({ isLive }) => !isLive);
    expect(ended).toMatchObject({
      unheard: null,
      status: { reason: { code: 'training.crashed' } },
    });
  });

  test('and that nobody took over goes on', async () => {
    const { run, folder, ended } = await startCli();
    run.kill('SIGSTOP');
    await untilHalted(run.pid!);
    const longAgo = new Date(Date.now() - 3_600_000);
    await utimes(path.join(folder, LOCK_FILE), longAgo, longAgo);
    // It is halted, and here for everyone to see.
    expect(await readLock(folder)).toMatchObject({ pid: run.pid });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const { size } = await stat(path.join(folder, 'events.jsonl'));
    run.kill('SIGCONT');
    const grown = async () => (await stat(path.join(folder, 'events.jsonl'))).size > size;
    await expect.poll(grown, { timeout: 10_000 }).toBe(true);
    run.kill('SIGINT');
    expect((await ended).code).toBe(130);
  });
});

test('a run whose folder is deleted ends, and makes no other', async () => {
  const observed = runs().observe();
  const folder = await runs().startEndless(observed, { save_steps: 3 });
  const { pid } = (await readLock(folder))!;
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  await observed.until(() => observed.gone.includes(folder));
  await expect.poll(() => isRunning(pid), { timeout: 20_000 }).toBe(false);
  await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
});

/** Needs the right to make namespaces, which containers of their own are made of. */
const canContain =
  process.platform === 'linux' &&
  (await new Promise((resolve) => {
    const probe = spawn('unshare', ['--pid', '--fork', '--mount-proc', '--uts', 'true']);
    probe.on('error', () => resolve(false));
    probe.on('exit', (code) => resolve(code === 0));
  }));

test.runIf(canContain)(
  'a run whose container is gone can be resumed outside',
  async () => {
    const inContainer = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--uts'];
    const named = ['sh', '-c', 'hostname lost-box && exec "$@"', 'sh'];
    const { run, folder, ended } = await startCli([...inContainer, ...named]);
    const observed = runs().observe();
    const listed = async () =>
      (await observed.manager.list()).find((summary) => summary.folder === folder);
    expect(await listed()).toMatchObject({ isLive: true, isSteerable: false });
    expect(await readLock(folder)).toMatchObject({ pid: 1, host: 'lost-box' });
    run.kill('SIGKILL');
    await ended;
    // As half a minute later.
    const before = new Date(Date.now() - 31_000);
    await utimes(path.join(folder, LOCK_FILE), before, before);
    expect(await listed()).toMatchObject({ isLive: false });
    await observed.manager.resume(folder, 'latest', 'parallel');
    const { isLive } = await observed.untilRun(
      folder,
      ({ status }) => status.state === 'running' && status.step > 3,
    );
    expect(isLive).toBe(true);
    await observed.manager.control(folder, 'cancel');
    await observed.untilRun(folder, (summary) => !summary.isLive);
  },
  60_000,
);

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
