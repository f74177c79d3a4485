import { expect, test } from 'vitest';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import { loadRunData } from '../../../engine/plan/run-data.ts';
import { loadRunTokenizer } from '../../../engine/plan/run-tokenizer.ts';
import { jsonl } from '../data/temp-files.ts';
import { useTinyRuns } from '../train/use-tiny-runs.ts';

const tiny = useTinyRuns();

async function warnings(data: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const config = tiny().config({ data });
  const tokenizer = await loadRunTokenizer(config, await openTokenizer(tiny().model));
  return (await loadRunData(config, tokenizer, () => undefined)).warnings;
}

/** Of an answer its text alone is learned, not its end. */
const WITHOUT_END =
  '{% for m in messages %}{% if m.role == "assistant" %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}';

const row = (answer: string) => ({ question: 'Why?', answer });

test('rows that are there twice, are learned in a token, or are held out and learned are warned of', async () => {
  const train = await tiny().file(
    'train.jsonl',
    jsonl(row('So it is.'), row('x'), row('So it is.')),
  );
  const held = await tiny().file('held.jsonl', jsonl(row('Another answer.'), row('So it is.')));
  expect(
    await warnings({
      dataset_name_or_path: train,
      eval_dataset_name_or_path: held,
      chat_template: WITHOUT_END,
    }),
  ).toEqual([
    `1 row was there more than once (${train}:3: the row was there before in line 1).`,
    `1 row was learned in a single token (${train}:2: of the row a single token is learned).`,
    `1 row was held out and learned all the same (${held}:2: the row is also learned from ${train}:1).`,
  ]);
});

test('a split that takes one of two equal rows is, too', async () => {
  const rows = Array.from({ length: 20 }, (_, index) => row(`Answer number ${index % 10}.`));
  const file = await tiny().file('twice.jsonl', jsonl(...rows));
  const [twice, both, ...others] = await warnings({ dataset_name_or_path: file, eval_split: 2 });
  expect(twice).toMatch(/^10 rows were there more than once/);
  expect(both).toMatch(/^\d rows? w(as|ere) held out and learned all the same/);
  expect(others).toEqual([]);
});
