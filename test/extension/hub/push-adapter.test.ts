import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ResponseError } from 'vscode-jsonrpc';
import { AdapterPushes } from '../../../extension/hub/push-adapter.ts';
import { COMMANDS } from '../../../extension/ids.ts';
import { planPush, pushAdapter } from '../../../server/protocol/hub.ts';
import { listAdapters, listModels, requireAdapter } from '../../../server/protocol/models.ts';
import type { ShownPush } from '../../../server/publish/plan-push.ts';
import { RPC_ERRORS } from '../../../server/rpc/message.ts';
import { foundAdapter } from '../../support/found-adapter.ts';
import { shown, user, window } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const PLANNED: ShownPush = {
  ...{ repository: 'somebody/first', page: 'https://hub/somebody/first', account: 'somebody' },
  ...{ revision: 'main', isPrivate: true, isNew: true, isNewRevision: false },
  ...{ message: 'Upload adapter', bytes: 2048, notes: [], digest: 'abc' },
  files: [{ path: 'README.md', size: 2048, change: 'new' }],
  card: { text: '# first\n\n![Loss](loss-curve.svg)\n', curve: '<svg/>' },
};

/** An error answer of the server. */
const failed = (code: string, message = 'No.') =>
  new ResponseError(RPC_ERRORS.failed, message, { code, problems: [] });

/** Pushes an adapter; each question to the server is answered by the next of its answers, an Error is thrown. */
async function push(answers: Readonly<Record<string, unknown[]>>) {
  const asked: string[] = [];
  const reports = { show: vi.fn(async () => undefined) };
  const server = {
    listen: () => undefined,
    ask: async ({ method }: { method: string }) => {
      asked.push(method);
      const known: Readonly<Record<string, unknown>> = {
        [listModels.method]: [],
        [listAdapters.method]: [foundAdapter('/runs/first')],
        [requireAdapter.method]: {},
      };
      const answer = known[method] ?? answers[method]?.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  await new AdapterPushes(server as never, reports).run('/runs/first');
  const count = ({ method }: { method: string }) => asked.filter((each) => each === method).length;
  return { plans: count(planPush), pushes: count(pushAdapter), reports };
}

/** The titles of lists and the texts of what else was shown. */
const titles = () =>
  shown.map(({ to, args }) =>
    to === 'quickPick' ? (args[1] as { title: string }).title : args[0],
  );

/** Chooses in lists and dialogs by their words. */
function chooses(...labels: readonly string[]): void {
  user.reply = (to, args) => {
    switch (to) {
      case 'inputBox':
        return 'first';
      case 'quickPick':
        return (args[0] as { label: string }[]).find(({ label }) =>
          labels.some((wanted) => label.endsWith(wanted)),
        );
      case 'error':
        return args[1];
      case 'command':
        return args[0] === COMMANDS.signIn && labels.includes('signed in');
      default:
        return labels.find((label) => args.includes(label));
    }
  };
}

beforeEach(() => {
  shown.length = 0;
});

afterEach(() => {
  user.reply = undefined;
  vi.restoreAllMocks();
});

describe('a push without a token', () => {
  const refused = () => failed('hub.unauthorized', 'Pushing needs a token.');

  test('goes on where it was when the user has signed in', async () => {
    chooses('signed in', 'Private', 'Push');
    const { plans, pushes } = await push({
      [planPush.method]: [refused(), PLANNED, { ...PLANNED, isPrivate: true }],
      [pushAdapter.method]: [{}],
    });
    expect({ plans, pushes }).toEqual({ plans: 3, pushes: 1 });
    expect(titles()).toContain('Pushing needs a token.');
    // The name of the repository is not asked for again.
    expect(shown.filter(({ to }) => to === 'inputBox')).toHaveLength(1);
    expect(titles()).toContain('Who may read the new repository somebody/first?');
  });

  test('ends when nobody signs in', async () => {
    chooses('Private', 'Push');
    expect(await push({ [planPush.method]: [refused()] })).toMatchObject({ plans: 1, pushes: 0 });
  });
});

describe('a push that needs another token when it is sent', () => {
  const answers = (planned: ShownPush) => ({
    [planPush.method]: [PLANNED, { ...PLANNED, digest: 'private' }, planned],
    [pushAdapter.method]: [failed('hub.forbidden', 'Your token may not write.'), {}],
  });
  const count = (wanted: string) => shown.filter(({ to }) => to === wanted).length;

  test('goes on with all that was answered', async () => {
    chooses('signed in', 'Private', 'Push');
    const { plans, pushes } = await push(answers({ ...PLANNED, digest: 'private' }));
    expect({ plans, pushes }).toEqual({ plans: 3, pushes: 2 });
    expect(titles()).toContain('Your token may not write.');
    // The name, the visibility, and whether to push, once each.
    expect([count('inputBox'), count('quickPick'), count('warning')]).toEqual([1, 1, 1]);
    expect(titles().at(-1)).toContain('is on the Hugging Face Hub');
  });

  test('asks again where something else would be sent by then', async () => {
    chooses('signed in', 'Private', 'Push');
    const page = 'https://hub/another/first';
    const { pushes } = await push(answers({ ...PLANNED, account: 'another', page, digest: 'b' }));
    expect(pushes).toBe(2);
    // Where it is now is another's as well.
    expect(titles().at(-1)).toBe(`first is on the Hugging Face Hub: ${page}`);
    expect([count('inputBox'), count('quickPick'), count('warning')]).toEqual([1, 1, 2]);
  });

  test('ends when nobody signs in', async () => {
    chooses('Private', 'Push');
    expect((await push(answers(PLANNED))).pushes).toBe(1);
    expect(titles().at(-1)).not.toContain('is on the Hugging Face Hub');
  });
});

describe('the card', () => {
  test('can be read with its picture before anything is sent', async () => {
    chooses('Private', 'Read Model Card', 'Send Nothing');
    const { pushes, reports } = await push({ [planPush.method]: [PLANNED, PLANNED] });
    const picture = Buffer.from('<svg/>').toString('base64');
    expect(reports.show).toHaveBeenCalledWith(
      'Model Card of first',
      `# first\n\n![Loss](data:image/svg+xml;base64,${picture})\n`,
    );
    expect(pushes).toBe(0);
  });

  test('is followed by what the dialog said, which can be seen again', async () => {
    const answers = ['Read Model Card', 'Push'];
    user.reply = (to, args) => {
      if (to === 'inputBox') return 'first';
      if (to === 'warning') return answers.shift();
      if (to !== 'quickPick') return undefined;
      const rows = args[0] as { label: string; detail?: string }[];
      return rows.find(({ label }) => /Private|Show What Is Sent/.test(label));
    };
    const { pushes } = await push({
      [planPush.method]: [PLANNED, PLANNED],
      [pushAdapter.method]: [{}],
    });
    expect(pushes).toBe(1);
    const rows = shown.filter(({ to }) => to === 'quickPick').at(-1)!.args[0];
    expect(rows).toMatchObject([
      { detail: 'Send 1 file (2 KiB) to https://hub/somebody/first?' },
      { detail: 'A new private repository, made as somebody.' },
      { label: '$(close) Send Nothing' },
    ]);
    const dialogs = shown.filter(({ to }) => to === 'warning').map(({ args }) => args[1]);
    expect(dialogs).toHaveLength(2);
    expect(dialogs[1]).toEqual(dialogs[0]);
  });

  test('is followed by the same question', async () => {
    user.answer = undefined;
    chooses('Private', 'Read Model Card');
    const choose = user.reply!;
    user.reply = (to, args) =>
      to === 'quickPick' && titles().at(-1) === 'Push somebody/first with this card?'
        ? (args[0] as { label: string }[])[0]
        : choose(to, args);
    const { pushes } = await push({
      [planPush.method]: [PLANNED, PLANNED],
      [pushAdapter.method]: [{}],
    });
    expect(pushes).toBe(1);
  });
});

test('a push that was cancelled says in what state it has left the repository', async () => {
  chooses('Private', 'Push');
  vi.spyOn(window, 'withProgress').mockImplementation((_options, task) =>
    task({ report: () => undefined }, { isCancellationRequested: true }),
  );
  await push({
    [planPush.method]: [PLANNED, PLANNED],
    [pushAdapter.method]: [
      failed('hub.cancelled', 'The push was cancelled, and nothing was committed.'),
    ],
  });
  expect(shown.at(-1)).toMatchObject({
    to: 'information',
    args: ['The push was cancelled, and nothing was committed.'],
  });
});

test.each(['.git', 'CON', '~', 'a\u202Eb'])(
  'the repository name %j is refused while it is typed',
  async (name) => {
    chooses();
    await push({ [planPush.method]: [] });
    const { args } = shown.find(({ to }) => to === 'inputBox')!;
    const { validateInput } = args[0] as { validateInput(text: string): string | undefined };
    expect(validateInput(name)).toMatch(/^The repository name .+\.$/);
    expect(validateInput('somebody/first')).toBeUndefined();
  },
);
