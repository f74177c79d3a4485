import { TemplateTooLarge } from '../bounded-interpreter.ts';
import { type ErrorCode, LorafaError } from '../errors.ts';
import { type TimeLimit, TimeLimitError, withinTime } from '../time-limit.ts';
import { textLength } from '../tokenizer/chat-template.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { describeDataPath } from './data-path.ts';
import type { DataOptions } from './options.ts';
import { type DatasetReport, ExampleCounter, formatIssues, IssueCollector } from './report.ts';
import { type BadRow, isRow, type Row } from './row.ts';
import { RowError } from './row-error.ts';
import { at, SeenRows } from './seen-rows.ts';
import { type EmptyCause, type SegmentedExample, segmentsOf, wrapsAsChat } from './segments.ts';
import { type Example, recogniseShape, type Shape } from './shapes.ts';
import { tokenizeExample } from './supervision.ts';
import { countSupervised, type TokenizedExample } from './tokenized-example.ts';

/** The examples of a data set, in the order of its rows, and what became of every row. */
export interface Dataset {
  readonly examples: readonly TokenizedExample[];
  readonly report: DatasetReport;
}

/** What became of a row. */
type Outcome =
  | { readonly segmented: SegmentedExample; readonly tokenized: TokenizedExample }
  | { readonly refused: RowError | LorafaError };

/** A data set that grows by the rows that are added to it. */
export class DatasetBuilder {
  /** Rows that were added, whatever became of them. */
  rows = 0;
  readonly #paths: readonly string[];
  readonly #tokenizer: Tokenizer;
  readonly #options: DataOptions;
  readonly #examples: TokenizedExample[] = [];
  readonly #counter = new ExampleCounter();
  readonly #shapes: Map<string, Shape>;
  readonly #truncated = new IssueCollector();
  readonly #dropped = new IssueCollector();
  readonly #neverSupervised = new IssueCollector();
  readonly #lastTurnOnly = new IssueCollector();
  readonly #duplicates = new IssueCollector();
  readonly #nearlyEmpty = new IssueCollector();
  readonly #unseparated = new IssueCollector();
  readonly #seen = new SeenRows();
  #firstBadCode: ErrorCode | undefined;

  /** @param shapes of files whose first row is known; by default each file's first row that comes tells */
  constructor(
    paths: readonly string[],
    tokenizer: Tokenizer,
    options: DataOptions,
    shapes: ReadonlyMap<string, Shape> = new Map(),
  ) {
    this.#shapes = new Map(shapes);
    this.#paths = paths;
    this.#tokenizer = tokenizer;
    this.#options = options;
  }

  /**
   * Rows that come next. They run the model's own template and expressions, which may take for ever;
   * when the time is over, the row that it was over at is tried alone.
   */
  add(portion: readonly (Row | BadRow)[]): void {
    for (let next = 0; next < portion.length; ) {
      const rest = portion.slice(next);
      const outcomes: Outcome[] = [];
      const isWhole = isInTime(this.#tokenizer.limit(0), () => {
        for (const row of rest) outcomes.push(this.#outcomeOf(row));
      });
      const slow = rest[outcomes.length];
      if (!isWhole && slow !== undefined) outcomes.push(this.#outcomeOf(slow));
      for (const [index, outcome] of outcomes.entries()) this.#record(rest[index]!, outcome);
      next += outcomes.length;
    }
  }

  /** The data set of the rows that were added so far, whether it could be trained on or not. */
  get soFar(): Dataset {
    const report = {
      ...this.#counter.counts,
      rows: this.rows,
      shapes: [...new Set([...this.#shapes.values()].map((shape) => shape.description))],
      truncated: this.#truncated,
      dropped: this.#dropped,
      neverSupervised: this.#neverSupervised,
      lastTurnOnly: this.#lastTurnOnly,
      duplicates: this.#duplicates,
      nearlyEmpty: this.#nearlyEmpty,
      unseparated: this.#unseparated,
    };
    return { examples: this.#examples, report };
  }

  /**
   * The whole data set.
   *
   * @throws LorafaError where it cannot be trained on; see `loadDataset`
   */
  finish(): Dataset {
    const names = this.#names();
    if (this.rows === 0) {
      throw new LorafaError(
        'data.empty',
        `There is not a single row in ${names}; check the file and the slice.`,
      );
    }
    this.#refuseBadRows(names);
    this.#refuseWithoutSupervision(names);
    return this.soFar;
  }

  /**
   * These rows as a part of a data set, which may hold nothing that is learned.
   *
   * @throws LorafaError where too many of them cannot be used
   */
  part(): Dataset {
    this.#refuseBadRows(this.#names());
    return this.soFar;
  }

  #names(): string {
    return this.#paths.map(describeDataPath).join(', ');
  }

  #outcomeOf(row: Row | BadRow): Outcome {
    try {
      if (!isRow(row)) throw new RowError(row.reason, row.code);
      const shape = this.#shapeOf(row);
      const asChat = wrapsAsChat(shape, this.#tokenizer, this.#options);
      const example = shape.example(row);
      const segmented = this.#segmentsOf(row, example, asChat);
      const limit = this.#limit(row, this.#tokenizer.limit(characters(example)));
      const tokenized = withinTime(limit, () =>
        tokenizeExample(segmented, this.#tokenizer, this.#options, row),
      );
      return { segmented, tokenized };
    } catch (error) {
      if (!(error instanceof RowError) && !isRefusedByModel(error, this.#tokenizer)) throw error;
      return { refused: error };
    }
  }

  #segmentsOf(row: Row, example: Example, asChat: boolean): SegmentedExample {
    const cut = () => segmentsOf(example, asChat, this.#tokenizer, this.#options);
    const limit = this.#tokenizer.chatTemplate?.limit(characters(example));
    return limit === undefined ? cut() : withinTime(this.#limit(row, limit), cut);
  }

  #limit({ file, line }: Row, limit: TimeLimit): TimeLimit {
    return { ...limit, work: `${file}:${line}` };
  }

  #record(row: Row | BadRow, outcome: Outcome): void {
    this.rows += 1;
    if ('refused' in outcome) {
      this.#firstBadCode ??= outcome.refused.code;
      this.#dropped.add(row, outcome.refused.message);
      return;
    }
    const { segmented, tokenized } = outcome;
    if (segmented.nothingToLearn !== undefined || !tokenized.supervised.includes(1)) {
      const reason = this.#emptyReason(segmented.nothingToLearn);
      this.#neverSupervised.add(row, reason);
      return;
    }
    this.#examples.push(tokenized);
    this.#counter.add(tokenized);
    if (tokenized.truncated) {
      this.#truncated.add(
        row,
        `the row is longer than max_length (${this.#options.max_length} tokens)`,
      );
    }
    const earlier = this.#seen.add(tokenized);
    if (earlier !== undefined) {
      this.#duplicates.add(row, `the row was there before ${at(earlier, row)}`);
    }
    if (countSupervised(tokenized) === 1) {
      this.#nearlyEmpty.add(row, 'of the row a single token is learned');
    }
    if (segmented.isUnseparated) {
      this.#unseparated.add(
        row,
        'neither a space nor a line break stands between prompt and completion; write one with data.prompt_template',
      );
    }
    if (segmented.lastTurnOnly) {
      this.#lastTurnOnly.add(
        row,
        'the chat template rewrites earlier answers once the conversation goes on, so only the last answer is learned',
      );
    }
  }

  /** Each file has one shape, told by its first readable row. */
  #shapeOf(row: Row): Shape {
    const known = this.#shapes.get(row.file);
    if (known !== undefined) return known;
    const shape = recogniseShape(row, this.#options);
    this.#shapes.set(row.file, shape);
    return shape;
  }

  #emptyReason(cause: EmptyCause | undefined): string {
    switch (cause) {
      case 'empty_text':
        return 'the text is empty';
      case 'empty_completion':
        return 'the completion is empty';
      case 'no_answer':
        return 'the conversation has no assistant turn to learn';
      case 'no_marks':
        return 'the chat template has generation blocks, and none of them in this conversation';
      case undefined:
        return `the prompt alone fills max_length (${this.#options.max_length} tokens)`;
    }
  }

  #refuseBadRows(names: string): void {
    const { count, first } = this.#dropped;
    const limit = this.#options.max_bad_rows;
    if (this.#firstBadCode === undefined || count <= limit) return;
    const { file, line } = first[0]!;
    throw new LorafaError(
      this.#firstBadCode,
      `${count} of ${this.rows} rows in ${names} cannot be used, and data.max_bad_rows allows ${limit}: ${formatIssues(this.#dropped)}; correct the rows or raise data.max_bad_rows to leave them out.`,
      { location: { file, line } },
    );
  }

  #refuseWithoutSupervision(names: string): void {
    if (this.#examples.length > 0) return;
    const usable = this.rows - this.#dropped.count;
    if (usable === 0) {
      throw new LorafaError(
        'data.empty',
        `None of the ${this.rows} rows in ${names} can be used: ${formatIssues(this.#dropped)}; correct the rows.`,
      );
    }
    throw new LorafaError(
      'data.no_supervision',
      `Nothing would be learned from the ${usable} usable rows in ${names}: ${formatIssues(this.#neverSupervised)}; raise data.max_length or correct the rows.`,
    );
  }
}

/** Whether a task ends within a limit. */
function isInTime(limit: TimeLimit, task: () => void): boolean {
  try {
    withinTime(limit, task);
    return true;
  } catch (error) {
    if (error instanceof TimeLimitError) return false;
    throw error;
  }
}

function characters(example: Example): number {
  switch (example.kind) {
    case 'text':
      return example.text.length;
    case 'prompt_completion':
      return example.prompt.length + example.completion.length;
    case 'messages':
      return textLength(example.messages);
  }
}

/**
 * True when the chat template or the vocabulary cannot take this one row. Without a chat template
 * no conversation is usable, which is no fault of the row.
 */
function isRefusedByModel(error: unknown, tokenizer: Tokenizer): error is LorafaError {
  // What comes to no end for one row, or makes too much of it, hardly does better for the next.
  if (!(error instanceof LorafaError) || error instanceof TimeLimitError) return false;
  if (error.cause instanceof TemplateTooLarge) return false;
  return (
    error.code === 'model.tokenizer' ||
    (error.code === 'data.chat_template' && tokenizer.chatTemplate !== null)
  );
}
