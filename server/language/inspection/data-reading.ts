import { setImmediate } from 'node:timers/promises';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { fillDataset } from '../../../engine/data/dataset.ts';
import { DatasetBuilder } from '../../../engine/data/dataset-builder.ts';
import { ExampleTexts } from '../../../engine/data/example-text.ts';
import { mixExamples } from '../../../engine/data/mix.ts';
import { previewExample } from '../../../engine/data/preview.ts';
import type { IssueList } from '../../../engine/data/report.ts';
import type { TokenizedExample } from '../../../engine/data/tokenized-example.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { fetchInputs } from '../../../engine/inputs/hub-inputs.ts';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import type { PaddingReport } from '../../../engine/plan/plan-reports.ts';
import { previewSources, sharedWithHeldOut } from '../../../engine/plan/run-data.ts';
import { planRun } from '../../../engine/plan/run-plan.ts';
import { loadRunTokenizer } from '../../../engine/plan/run-tokenizer.ts';
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import type { PreviewPage, PreviewState } from '../../protocol/data.ts';
import { mergedReport } from './merged-report.ts';

/** Milliseconds between two pieces of news. */
const NEWS_MS = 200;

/** Rows that are searched before messages are let in. */
const SEARCHED_ROWS = 500;

/**
 * The data of a configuration as a preview shows them: read once, looked at from the first row on,
 * searched while they are read. All of it happens in a process that can be ended.
 */
export class DataReading {
  readonly #onNews: (state: PreviewState) => void;
  #tokenizer: Tokenizer | undefined;
  #texts: ExampleTexts | undefined;
  /** One for each set: the one that is read now is the last. */
  readonly #builders: DatasetBuilder[] = [];
  #notes: readonly string[] = [];
  #share = 0;
  #isReading = true;
  #padding: PaddingReport | null = null;
  #shared: IssueList | null = null;
  #problem: string | null = null;
  #search: Search | undefined;
  #toldAt = 0;

  /** @param onNews told now and then how far it is */
  constructor(onNews: (state: PreviewState) => void) {
    this.#onNews = onNews;
  }

  /**
   * Reads all rows, unless it is cancelled: then those that were read remain. What a run would be
   * refused for is part of the news.
   *
   * @throws LorafaError where not even the first row can be read, and HubError as `fetchInputs` does
   */
  async read(given: ResolvedConfig, isCancelled: () => boolean): Promise<void> {
    const { config, warnings, heads } = await fetchInputs(given, { rowsOnly: true });
    const model = await openTokenizer(config.model.base_model_name_or_path, heads);
    const tokenizer = await loadRunTokenizer(config, model);
    const { sources, isWhole, notes } = await previewSources(config);
    this.#tokenizer = tokenizer;
    this.#texts = new ExampleTexts(tokenizer);
    this.#notes = [...warnings, ...notes];
    try {
      for (const [index, { paths, options }] of sources.entries()) {
        const builder = new DatasetBuilder(paths, tokenizer, options);
        this.#builders.push(builder);
        for await (const share of fillDataset(builder, paths)) {
          this.#share = (index + share) / sources.length;
          if (isCancelled()) return;
          this.#advanceSearch();
          this.#tell(this.#toldAt === 0);
        }
        this.#share = (index + 1) / sources.length;
        builder.finish();
      }
      // The first news of few rows; counting the padding of many takes a while.
      this.#tell(true);
      await setImmediate();
      const sets = this.#builders.map(({ soFar }) => soFar.examples);
      const train = mixExamples(sets, sources, config.training.seed).flat();
      this.#padding = planRun(config, { train }).padding;
      if (isWhole) this.#shared = await sharedWithHeldOut(config, tokenizer, sets);
    } catch (error) {
      const hasRows = this.#builders.some(({ rows }) => rows > 0);
      if (!(error instanceof LorafaError) || !hasRows) throw error;
      this.#problem = error.message;
    } finally {
      this.#isReading = false;
      this.#advanceSearch();
      this.#tell(true);
    }
  }

  /** Searches for a text in all rows, those that are yet to be read included; empty: for nothing. */
  async search(text: string): Promise<void> {
    const search: Search | undefined = text === '' ? undefined : { text, found: [], next: 0 };
    this.#search = search;
    while (search !== undefined && this.#search === search && this.#advanceSearch()) {
      this.#tell(false);
      await setImmediate();
    }
    this.#tell(true);
  }

  /** Rows of those that are used, or of those that were found. */
  page(start: number, count: number): PreviewPage {
    const found = this.#search?.found;
    const positions = Array.from({ length: count }, (_, index) =>
      found === undefined ? start + index : (found[start + index] ?? -1),
    );
    return {
      start,
      examples: positions.flatMap((position) => {
        const example = this.#exampleAt(position);
        return example === undefined ? [] : [previewExample(example, this.#tokenizer!)];
      }),
    };
  }

  /** @returns whether there is more to be searched now */
  #advanceSearch(): boolean {
    const search = this.#search;
    const portion = search === undefined ? [] : this.#examplesFrom(search.next, SEARCHED_ROWS);
    if (search === undefined || portion.length === 0) return false;
    const { next } = search;
    const matches = this.#texts!.matching(portion, search.text);
    matches.forEach((isMatch, index) => {
      if (isMatch) search.found.push(next + index);
    });
    search.next += portion.length;
    return this.#exampleAt(search.next) !== undefined;
  }

  /** An example of all sets, one after the other. */
  #exampleAt(position: number): TokenizedExample | undefined {
    return this.#examplesFrom(position, 1)[0];
  }

  /** Some examples of the set that one is in, as far as there are any. */
  #examplesFrom(position: number, count: number): readonly TokenizedExample[] {
    let start = position;
    for (const { soFar } of this.#builders) {
      const { examples } = soFar;
      if (start < examples.length) return start < 0 ? [] : examples.slice(start, start + count);
      start -= examples.length;
    }
    return [];
  }

  #tell(isUrgent: boolean): void {
    const [first, ...others] = this.#builders;
    if (first === undefined) return;
    const now = performance.now();
    if (!isUrgent && now - this.#toldAt < NEWS_MS) return;
    this.#toldAt = now;
    const report = mergedReport([first.soFar.report, ...others.map(({ soFar }) => soFar.report)]);
    this.#onNews({
      share: this.#share,
      isReading: this.#isReading,
      report,
      padding: this.#padding,
      shared: this.#shared,
      problem: this.#problem,
      notes: this.#notes,
      search: this.#search === undefined ? null : searchState(this.#search, report.used),
    });
  }
}

/** A search under way. */
interface Search {
  readonly text: string;
  /** Positions of rows, in their order. */
  readonly found: number[];
  /** The first row that was not looked at yet. */
  next: number;
}

function searchState({ text, found, next }: Search, used: number): PreviewState['search'] {
  return { text, found: found.length, share: used === 0 ? 1 : next / used };
}
