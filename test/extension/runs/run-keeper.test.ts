import { beforeEach, expect, test, vi } from 'vitest';
import { runSummary } from '../../support/run-summary.ts';
import { runsWindow } from '../../support/runs-window.ts';
import { shown } from '../../support/vscode-window.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

beforeEach(() => {
  shown.length = 0;
});

test('before a result is replaced it is said which one, and by what', async () => {
  const folder = '/home/me/runs/first';
  const run = runSummary({ state: 'completed', step: 40 }, { folder, adapter: folder });
  const { keeper, server } = await runsWindow([run]);
  await keeper.finish(run, `${folder}/checkpoint-20`);
  expect(shown).toMatchObject([
    {
      to: 'warning',
      args: [
        'Replace the result of first with checkpoint-20?',
        {
          detail:
            'The adapter of step 40, in /home/me/runs/first, becomes that of checkpoint-20. All checkpoints stay.',
        },
        'Replace',
      ],
    },
  ]);
  expect(server.asked).not.toContain('lorafa/runs/finish');
});
