import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Trial, trialOf } from '../../../engine/data/trial.ts';
import { readExamples } from '../../../engine/train/run-examples.ts';
import { readTraining } from '../../../server/discovery/adapter-training.ts';
import { tempFolder } from '../../support/temp-folder.ts';
import { type ConfigChanges, run } from './tiny-run.ts';
import { useTinyRuns } from './use-tiny-runs.ts';

const tiny = useTinyRuns();

async function runFolder(changes: ConfigChanges): Promise<string> {
  const config = tiny().config(changes);
  await run(config);
  return config.training.output_dir;
}

describe('a run keeps rows to try its model on', () => {
  test('those that it held out, as prompts with their answers', async () => {
    const folder = await runFolder({ data: { eval_split: 3 } });
    const kept = await readExamples(folder);
    expect(kept).toMatchObject({
      files: [tiny().data],
      shape: 'question → answer',
      isChat: true,
      rows: 4,
      origin: 'held-out',
    });
    expect(kept!.examples).toHaveLength(3);
    const all = (await readFile(tiny().data, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    for (const { prompt, expected } of kept!.examples) {
      const { turn } = prompt as { turn: string };
      expect(all).toContainEqual({ question: turn, answer: expected });
    }
    // A checkpoint is of the same run, and the data may be gone.
    expect(await readTraining(path.join(folder, 'checkpoint-2'))).toEqual(kept);
  });

  test('none that it held out and learned all the same', async () => {
    const [learned] = (await readFile(tiny().data, 'utf8')).split('\n');
    const held = path.join(await tempFolder(), 'held.jsonl');
    const evaluated = { data: { eval_dataset_name_or_path: held } };
    await writeFile(held, `${learned}\n{"question":"1+1?","answer":"2"}\n`);
    const some = await readExamples(await runFolder(evaluated));
    expect([some!.origin, some!.examples]).toEqual([
      'held-out',
      [{ prompt: { turn: '1+1?' }, expected: '2' }],
    ]);
    await writeFile(held, `${learned}\n`);
    expect((await readExamples(await runFolder(evaluated)))!.origin).toBe('training');
  });

  test('or else rows that it learned, by the templates of its configuration', async () => {
    const folder = await runFolder({
      data: { prompt_template: 'Q: {question} A:', completion_template: ' {answer}' },
    });
    const kept = await readExamples(folder);
    expect(kept).toMatchObject({
      origin: 'training',
      isChat: false,
      templates: { prompt: 'Q: {question} A:', completion: ' {answer}' },
    });
    expect(kept!.examples[0]).toEqual({ prompt: { text: 'Q: 2+2? A:' }, expected: ' 4' });
  });

  test('without them, sample prompts stand in; a folder that is no run tells nothing', async () => {
    const folder = await runFolder({ training: { sample_prompts: ['2+2?'] } });
    await writeFile(path.join(folder, 'examples.json'), '{"version":1}');
    expect(await readTraining(folder)).toMatchObject({
      origin: 'sample-prompts',
      examples: [{ prompt: { turn: '2+2?' }, expected: null }],
    });
    await rm(path.join(folder, 'run.json'));
    expect(await readTraining(folder)).toBeNull();
    expect(await readTraining(await tempFolder())).toBeNull();
  });
});

describe('a row as a question', () => {
  const user = { role: 'user', content: 'Hi' };
  const assistant = { role: 'assistant', content: 'Hello' };

  test.each<[string, Trial | undefined, Parameters<typeof trialOf>]>([
    [
      'a conversation ends before its last answer',
      { prompt: { messages: [user, assistant, user] }, expected: 'Bye' },
      [
        {
          kind: 'messages',
          messages: [user, assistant, user, { role: 'assistant', content: 'Bye' }, user],
          tools: [],
        },
        true,
      ],
    ],
    [
      'a single turn is one',
      { prompt: { turn: 'Hi' }, expected: 'Hello' },
      [{ kind: 'messages', messages: [user, assistant], tools: [] }, true],
    ],
    [
      'a text is cut between two words',
      { prompt: { text: 'Once upon' }, expected: ' a time there was' },
      [{ kind: 'text', text: 'Once upon a time there was' }, false],
    ],
    ['a single word is none', undefined, [{ kind: 'text', text: 'Once' }, false]],
    [
      'nor a prompt without an answer',
      undefined,
      [{ kind: 'prompt_completion', prompt: 'a', completion: ' ' }, false],
    ],
  ])('%s', (_, expected, [example, asChat]) => {
    expect(trialOf(example, asChat)).toEqual(expected);
  });
});
