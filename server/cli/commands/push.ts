import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { LorafaError } from '../../../engine/errors.ts';
import { formatBytes, formatCount } from '../../format.ts';
import type { PushRequest, ShownPush } from '../../publish/plan-push.ts';
import type { PushResult } from '../../publish/push.ts';
import { withInterrupt } from '../interrupt.ts';
import { jsonProgress } from '../json-progress.ts';
import { localPath } from '../local-path.ts';
import { printJson, printText } from '../print.ts';
import { runCommand } from '../run-command.ts';
import { stderrProgress } from '../stderr-progress.ts';

interface PushFlags {
  readonly repo: string;
  readonly private?: true;
  readonly public?: true;
  readonly revision?: string;
  readonly message?: string;
  readonly replaceCard?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly expect?: string;
  readonly json?: true;
}

/** Adds `lorafa push` to the program. */
export function addPushCommand(program: Command): void {
  program
    .command('push')
    .summary('publish an adapter on the Hugging Face Hub')
    .description(
      'Push an adapter with a model card to a repository on the Hugging Face Hub, which is made if it is not there, private unless --public is given. What is sent is shown before anything is; on a terminal you are asked.',
    )
    .argument('<adapter>', 'folder of an adapter or of a checkpoint')
    .requiredOption('--repo <name>', 'the repository: owner/name, or a name of your own')
    .option('--private', 'only you may read the repository that is made (the default)')
    .option('--public', 'everybody may read the repository that is made')
    .option('--revision <branch>', 'the branch, made if it is not there (default: main)')
    .option('--message <text>', 'first line of the commit')
    .option('--replace-card', 'replace a README.md there that somebody wrote or changed')
    .option('--dry-run', 'only show what would be sent')
    .option('--yes', 'send it without being asked, for scripts')
    .option('--expect <digest>', 'send it only if it is what --dry-run --json showed (its digest)')
    .option('--json', 'print JSON lines: what is sent, how far it is, and last what came of it')
    .action((adapter: string, flags: PushFlags) =>
      runCommand(flags.json === true, () => pushCommand(adapter, flags)),
    );
}

async function pushCommand(adapter: string, flags: PushFlags): Promise<void> {
  requireClear(flags);
  const { planPush } = await import('../../publish/plan-push.ts');
  const { push, pushConnection } = await import('../../publish/push.ts');
  const folder = await localPath(adapter, 'adapter');
  const abort = new AbortController();
  const plan = await planPush(requestOf(folder, flags), await pushConnection());
  const { shown, files } = plan;
  if (flags.json) printJson(process.stdout, { type: 'planned', ...shown });
  else printText(process.stdout, describe(shown));
  if (flags.dryRun || (files.length === 0 && !shown.isNewRevision)) return;
  if (flags.expect !== undefined && flags.expect !== shown.digest) {
    throw new LorafaError(
      'hub.conflict',
      `What would be sent to ${shown.repository} is no longer what was shown; look at it again.`,
    );
  }
  if (!flags.yes && flags.expect === undefined && !(await isWanted(shown))) {
    printText(process.stdout, 'Nothing was sent.');
    return;
  }
  const report = stderrProgress();
  let isCommitting = false;
  const tell = (sentence: string): void => {
    if (isCommitting && !flags.json) printText(process.stderr, sentence);
  };
  const result = await withInterrupt(
    () => {
      abort.abort();
      tell('The commit is asked for already: its answer is waited for, not for long.');
    },
    () =>
      push(plan, {
        signal: abort.signal,
        onProgress: flags.json ? jsonProgress() : (state) => report({ type: 'progress', ...state }),
        onCommit: () => {
          isCommitting = true;
          if (flags.json) printJson(process.stdout, { type: 'committing' });
        },
      }),
    () => tell(`${shown.page}/commits/${shown.revision} shows whether the commit was made.`),
  );
  if (flags.json) printJson(process.stdout, { type: 'pushed', ...result });
  else printText(process.stdout, outcome(result));
}

/** @throws LorafaError `usage.invalid` */
function requireClear(flags: PushFlags): void {
  const isAsked = flags.yes || flags.dryRun || flags.expect !== undefined;
  const problem =
    flags.private && flags.public
      ? '--private and --public exclude each other; keep one of the two.'
      : !isAsked && (flags.json || !process.stdin.isTTY || !process.stdout.isTTY)
        ? 'Nobody can be asked here whether to send it; look at it with --dry-run, and give --yes to send it.'
        : undefined;
  if (problem !== undefined) throw new LorafaError('usage.invalid', problem);
}

function requestOf(folder: string, flags: PushFlags): PushRequest {
  const { repo, revision, message, replaceCard } = flags;
  const isPrivate = flags.public ? false : flags.private;
  return { folder, repository: repo, revision, isPrivate, message, replaceCard };
}

async function isWanted({ repository }: ShownPush): Promise<boolean> {
  const questions = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl+C and Ctrl+D close it, and the question would stay open.
  const abort = new AbortController();
  questions.once('close', () => abort.abort());
  try {
    const question = `Send it to ${repository}? [y/N] `;
    const answer = await questions.question(question, { signal: abort.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (abort.signal.aborted) return false;
    throw error;
  } finally {
    questions.close();
  }
}

const CHANGES = {
  new: 'new',
  replaced: 'replaces what is there',
  same: 'there already, not sent',
  kept: 'left as it is there (--replace-card replaces it)',
} as const;

function describe(shown: ShownPush): string {
  const { page, account, revision, isPrivate, isNew, isNewRevision, message, files, notes } = shown;
  const kind = `${isNew ? 'new, ' : ''}${isPrivate ? 'private' : 'public: everybody can read it'}`;
  const width = Math.max(...files.map(({ path }) => path.length));
  const sent = files.filter(({ change }) => change === 'new' || change === 'replaced');
  return [
    `${page} (${kind})`,
    `as ${account}, branch ${revision}${isNewRevision ? ' (new)' : ''}, commit ${JSON.stringify(message)}`,
    ...files.map(
      ({ path, size, change }) =>
        `  ${path.padEnd(width)}  ${formatBytes(size).padStart(9)}  ${CHANGES[change]}`,
    ),
    ...notes,
    sent.length === 0
      ? isNewRevision
        ? 'All of it is in main already: the branch is made where main is.'
        : 'All of it is there already: there is nothing to send.'
      : `${sent.length === 1 ? '1 file' : `${formatCount(sent.length)} files`}, ${formatBytes(shown.bytes)} to send.`,
  ].join('\n');
}

function outcome({ page, commit, files, bytes }: PushResult): string {
  const count = files === 1 ? '1 file' : `${formatCount(files)} files`;
  return `${page}: ${count} (${formatBytes(bytes)}) in commit ${commit.slice(0, 8)}.`;
}
