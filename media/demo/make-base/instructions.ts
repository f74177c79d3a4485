import { Random } from '../../../engine/random.ts';
import { FACT_KINDS, fill, HELD_OUT_NAMES, type NameSource, TRAINING_NAMES } from './facts.ts';
import { pick } from './words.ts';

/** One row of the fine-tuning data. */
export interface InstructionRow {
  readonly prompt: string;
  readonly completion: string;
}

/** The random streams of the two sets of rows; the corpus and the weights use others. */
const TRAIN_STREAM = 2;
const EVAL_STREAM = 3;

/** The task: a sentence becomes JSON. Meetings are left for the base model alone. */
const TASK_KINDS = FACT_KINDS.filter(({ name }) => name !== 'meeting');

/** Rows to learn from. */
export function trainRows(count: number, seed: number): readonly InstructionRow[] {
  return rows(count, new Random(seed, TRAIN_STREAM), TRAINING_NAMES);
}

/** Rows to be tested on: no row to learn from names the people and cities in them. */
export function evalRows(count: number, seed: number): readonly InstructionRow[] {
  return rows(count, new Random(seed, EVAL_STREAM), HELD_OUT_NAMES);
}

function rows(count: number, random: Random, names: NameSource): readonly InstructionRow[] {
  return Array.from({ length: count }, (_, index) => {
    const kind = TASK_KINDS[index % TASK_KINDS.length]!;
    const fields = kind.draw(random, names);
    return {
      prompt: `${fill(pick(kind.sentences, random), fields)}\nJSON: `,
      completion: formatJson(fields),
    };
  });
}

/** JSON on one line with a space behind each colon and comma. */
function formatJson(fields: Readonly<Record<string, string | number>>): string {
  const members = Object.entries(fields).map(
    ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  return `{${members.join(', ')}}`;
}
