import path from 'node:path';
import { z } from 'zod';
import { readBoundedFile } from '../bounded-file.ts';
import type { ResolvedConfig } from '../config/schema.ts';
import { isRow } from '../data/row.ts';
import { SeenRows } from '../data/seen-rows.ts';
import { wrapsAsChat } from '../data/segments.ts';
import { recogniseShape, type Shape } from '../data/shapes.ts';
import type { TokenizedExample } from '../data/tokenized-example.ts';
import { type Trial, trialOf } from '../data/trial.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { parseJson } from '../json.ts';
import type { RunData } from '../plan/run-data.ts';
import { SIZED } from '../sized.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { RUN_FILES } from './run-files.ts';

/** As many as one tries. */
const MOST = 24;
/** Characters of an example; longer ones are left out. */
const LONGEST = 8_000;
/** Rows that are looked through for them. */
const MOST_ROWS = 200_000;
/** More than any such file has. */
const MAX_BYTES = 2 ** 20;

const promptSchema = z.union([
  z.object({ turn: z.string() }),
  z.object({ text: z.string() }),
  z.object({
    messages: z.array(z.object({ role: z.string(), content: z.string() })).readonly(),
  }),
]);

const examplesSchema = z.object({
  version: z.literal(1),
  /** As the configuration names them. */
  files: z.array(z.string()).max(1_000, SIZED).readonly(),
  /** How rows were read: `question → answer`. */
  shape: z.string(),
  /** The user's templates, where they write the text. */
  templates: z.object({ prompt: z.string().optional(), completion: z.string() }).nullable(),
  /** Whether the text came from the model's chat template. */
  isChat: z.boolean(),
  /** Rows that were learned. */
  rows: z.int().nonnegative(),
  /** Whether that was inferred from the first of them, as it is where data are streamed. */
  isInferred: z.boolean().optional(),
  /** Whether the examples are rows that were held out, or some of those that were learned. */
  origin: z.enum(['held-out', 'training']),
  examples: z
    .array(z.object({ prompt: promptSchema, expected: z.string() }))
    .max(MOST, SIZED)
    .readonly(),
});

/** What a run's model was trained on, with rows to try it on. */
export type RunExamples = Readonly<z.infer<typeof examplesSchema>>;

/**
 * Some rows of a run as questions with their answers, those that it does not learn from if there are
 * any. They are kept with the run, because its data may be gone when its adapter is tried.
 *
 * @throws as `readRows`, where the data have changed since they were read
 */
export async function findExamples(
  { data }: Pick<ResolvedConfig, 'data'>,
  tokenizer: Tokenizer,
  {
    train,
    evaluation,
    trainReport,
    rows: rowsAgain,
  }: Pick<RunData, 'train' | 'evaluation' | 'trainReport' | 'rows'>,
): Promise<RunExamples> {
  const unseen = notLearned(evaluation, train);
  const isHeldOut = unseen.length > 0;
  const files = [data.dataset_name_or_path].flat();
  const wanted = new Set((isHeldOut ? unseen : train).slice(0, MOST).map(placeOf));
  const shapes = new Map<string, Shape>();
  const examples: Trial[] = [];
  let isChat = false;
  let rows = 0;
  for await (const row of rowsAgain()) {
    rows += 1;
    if (wanted.size === 0 || rows > MOST_ROWS) break;
    if (!isRow(row)) continue;
    const shape = shapes.get(row.file) ?? recogniseShape(row, data);
    shapes.set(row.file, shape);
    if (!wanted.delete(placeOf(row))) continue;
    const asChat = wrapsAsChat(shape, tokenizer, data);
    isChat = asChat || shape.kind === 'messages';
    const trial = trialOf(shape.example(row), asChat);
    if (trial !== undefined && JSON.stringify(trial).length <= LONGEST) examples.push(trial);
  }
  const { prompt_template: prompt, completion_template: completion } = data;
  return {
    version: 1,
    files,
    shape: [...new Set([...shapes.values()].map(({ description }) => description))].join('; '),
    templates:
      completion === undefined ? null : { completion, ...(prompt !== undefined && { prompt }) },
    isChat,
    rows: trainReport.rows,
    ...(trainReport.inferredFrom !== undefined && { isInferred: true }),
    origin: isHeldOut ? 'held-out' : 'training',
    examples,
  };
}

/** Held-out rows, without those that are learned all the same: on them an adapter shows nothing. */
function notLearned(
  evaluation: readonly TokenizedExample[],
  train: Iterable<TokenizedExample>,
): readonly TokenizedExample[] {
  if (evaluation.length === 0) return [];
  const learned = new SeenRows();
  for (const example of train) learned.add(example);
  return evaluation.filter((example) => learned.find(example) === undefined);
}

/** Keeps them in a run folder. Throws LorafaError `output.not_writable`. */
export async function writeExamples(folder: string, examples: RunExamples): Promise<void> {
  await writeFileAtomic(
    path.join(folder, RUN_FILES.examples),
    `${JSON.stringify(examples, null, 2)}\n`,
  );
}

/** What a run folder has of them; undefined where there is nothing that can be understood. */
export async function readExamples(folder: string): Promise<RunExamples | undefined> {
  try {
    const bytes = await readBoundedFile(path.join(folder, RUN_FILES.examples), MAX_BYTES, 'refuse');
    return examplesSchema.parse(parseJson(String(bytes)));
  } catch {
    return undefined;
  }
}

function placeOf({ file, line }: Pick<TokenizedExample, 'file' | 'line'>): string {
  return JSON.stringify([file, line]);
}
