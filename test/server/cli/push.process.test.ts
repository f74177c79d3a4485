import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run, TinyRuns } from '../../engine/train/tiny-run.ts';
import { BuiltCli, type Outcome } from '../../support/built-cli.ts';
import { filesHolding } from '../../support/files-holding.ts';
import { HubWorld } from '../../support/hub-server/hub-world.ts';

const TOKEN = 'hf_canaryOfAPush';

let cli: BuiltCli;
let adapter: string;

beforeAll(async () => {
  cli = await BuiltCli.build();
  const tiny = await TinyRuns.create(cli.folder);
  adapter = path.join(cli.folder, 'first-run');
  await run(tiny.config({ training: { output_dir: adapter } }));
}, 60_000);

afterAll(() => cli.remove());

async function world(): Promise<HubWorld> {
  const made = await HubWorld.create();
  made.hub.tokens.add(TOKEN);
  return made;
}

function push({ env }: HubWorld, args: readonly string[], options = {}): Promise<Outcome> {
  return cli.run(['push', adapter, '--repo', 'first', ...args], {
    env: { ...env, HF_TOKEN: TOKEN },
    ...options,
  });
}

const linesOf = ({ stdout }: Outcome): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('lorafa push', () => {
  test('shows what it would send, and sends it when it is told to', {
    timeout: 60_000,
  }, async () => {
    const made = await world();
    const { hub } = made;
    const shown = await push(made, ['--dry-run']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain(
      `${hub.endpoint}/somebody/first (new, private)\nas somebody, branch main, commit "Upload adapter"\n`,
    );
    expect(shown.stdout).toMatch(/^ {2}adapter_model\.safetensors +\d+ KiB {2}new$/m);
    expect(shown.stdout).toMatch(/4 files, \d+ KiB to send\.\n$/);
    expect(hub.find('somebody/first')).toBeUndefined();
    const sent = await push(made, ['--yes', '--public', '--message', 'First']);
    expect(sent).toMatchObject({ code: 0 });
    expect(sent.stdout).toContain('(new, public: everybody can read it)');
    const { commit, access } = hub.find('somebody/first')!;
    expect(sent.stdout).toMatch(
      new RegExp(`: 4 files \\(\\d+ KiB\\) in commit ${commit.slice(0, 8)}\\.\n$`),
    );
    expect(access).toBe('public');
    expect((await push(made, ['--yes'])).stdout).toContain('there is nothing to send.');
    expect(await filesHolding(cli.folder, TOKEN)).toEqual([]);
  });

  test('where nobody can be asked, nothing is asked of anybody', async () => {
    const made = await world();
    for (const args of [[], ['--json'], ['--yes', '--private', '--public']]) {
      const { code, stdout, stderr } = await push(made, args);
      expect(code).toBe(2);
      expect(stdout + stderr).toMatch(/give --yes to send it|exclude each other/);
    }
    expect(made.hub.requests).toEqual([]);
  });

  test('as JSON, only if it is still what was shown', { timeout: 60_000 }, async () => {
    const made = await world();
    const [planned] = linesOf(await push(made, ['--dry-run', '--json']));
    expect(planned).toMatchObject({ type: 'planned', isNew: true, isPrivate: true });
    const digest = planned!['digest'] as string;
    const other = await push(made, ['--json', '--public', '--expect', digest]);
    expect(linesOf(other).at(-1)).toMatchObject({ type: 'failed', code: 'hub.conflict' });
    expect(made.hub.find('somebody/first')).toBeUndefined();
    const sent = linesOf(await push(made, ['--json', '--expect', digest]));
    expect([...new Set(sent.map(({ type }) => type))]).toEqual([
      ...['planned', 'progress', 'committing', 'pushed'],
    ]);
    expect(sent.at(-1)).toMatchObject({
      files: 4,
      commit: made.hub.find('somebody/first')!.commit,
    });
  });

  test('is cancelled by Ctrl+C', { timeout: 60_000 }, async () => {
    const made = await world();
    let interrupt = (): void => undefined;
    made.hub.fault = ({ host }) => {
      if (host !== 'cdn') return undefined;
      interrupt();
      return 'hang';
    };
    const { code, stderr } = await push(made, ['--yes'], {
      onStart: (child: { kill(signal: string): void }) => {
        interrupt = () => child.kill('SIGINT');
      },
    });
    expect(stderr).toContain('The push was cancelled, and nothing was committed');
    expect(code).toBe(130);
  });

  test('a commit that was asked for before Ctrl+C is looked for', { timeout: 60_000 }, async () => {
    const made = await world();
    let interrupt = (): void => undefined;
    made.hub.fault = ({ path: place }) => {
      if (!place.includes('/commit/')) return undefined;
      interrupt();
      return 'done-and-hang';
    };
    const { code, stdout, stderr } = await push(made, ['--yes'], {
      onStart: (child: { kill(signal: string): void }) => {
        interrupt = () => child.kill('SIGINT');
      },
    });
    expect(stderr).toContain('The commit is asked for already');
    const { commit } = made.hub.find('somebody/first')!;
    expect(stdout).toContain(`in commit ${commit.slice(0, 8)}.`);
    expect(code).toBe(0);
  });

  test('what is no adapter is told before anything is looked up', async () => {
    const made = await world();
    const args = ['push', path.join(cli.folder, 'model'), '--repo', 'first', '--yes'];
    const { code, stderr } = await cli.run(args, { env: { ...made.env, HF_TOKEN: TOKEN } });
    expect(code).toBe(3);
    expect(stderr).toContain('has no adapter_config.json');
    expect(made.hub.requests.map(({ path: place }) => place)).toEqual(['/api/whoami-v2']);
  });
});
