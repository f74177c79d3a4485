import { setImmediate } from 'node:timers/promises';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { fillDataset } from '../../../engine/data/dataset.ts';
import { DatasetBuilder } from '../../../engine/data/dataset-builder.ts';
import { ExampleTexts } from '../../../engine/data/example-text.ts';
import { previewExample } from '../../../engine/data/preview.ts';
import type { IssueList } from '../../../engine/data/report.ts';
import { LorafaError } from '../../../engine/errors.ts';
import { fetchInputs } from '../../../engine/inputs/hub-inputs.ts';
import { openTokenizer } from '../../../engine/models/base-model.ts';
import { holdOut } from '../../../engine/plan/run-data.ts';
import { planRun } from '../../../engine/plan/run-plan.ts';
import { loadRunTokenizer } from '../../../engine/plan/run-tokenizer.ts';
import type { Tokenizer } from '../../../engine/tokenizer/tokenizer.ts';
import type { PaddingReport } from '../../../engine/train/events.ts';
import type { PreviewPage, PreviewState } from '../../protocol.ts';

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
  #builder: DatasetBuilder | undefined;
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
    const { config } = await fetchInputs(given, { rowsOnly: true });
    const model = await openTokenizer(config.model.base_model_name_or_path);
    const tokenizer = await loadRunTokenizer(config, model);
    const paths = [config.data.dataset_name_or_path].flat();
    const builder = new DatasetBuilder(paths, tokenizer, config.data);
    this.#tokenizer = tokenizer;
    this.#texts = new ExampleTexts(tokenizer);
    this.#builder = builder;
    try {
      for await (const share of fillDataset(builder, paths)) {
        this.#share = share;
        if (isCancelled()) return;
        this.#advanceSearch();
        this.#tell(this.#toldAt === 0);
      }
      this.#share = 1;
      const dataset = builder.finish();
      // The first news of few rows; counting the padding of many takes a while.
      this.#tell(true);
      await setImmediate();
      this.#padding = planRun(config, dataset.examples).padding;
      this.#shared = (await holdOut(config, tokenizer, dataset)).shared;
    } catch (error) {
      if (!(error instanceof LorafaError) || builder.rows === 0) throw error;
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
    const examples = this.#builder?.soFar.examples ?? [];
    const found = this.#search?.found;
    const positions = Array.from({ length: count }, (_, index) =>
      found === undefined ? start + index : (found[start + index] ?? -1),
    );
    return {
      start,
      examples: positions.flatMap((position) => {
        const example = examples[position];
        return example === undefined ? [] : [previewExample(example, this.#tokenizer!)];
      }),
    };
  }

  /** @returns whether there is more to be searched now */
  #advanceSearch(): boolean {
    const examples = this.#builder?.soFar.examples ?? [];
    const search = this.#search;
    if (search === undefined || search.next >= examples.length) return false;
    const { next } = search;
    const portion = examples.slice(next, next + SEARCHED_ROWS);
    const matches = this.#texts!.matching(portion, search.text);
    matches.forEach((isMatch, index) => {
      if (isMatch) search.found.push(next + index);
    });
    search.next += portion.length;
    return search.next < examples.length;
  }

  #tell(isUrgent: boolean): void {
    if (this.#builder === undefined) return;
    const now = performance.now();
    if (!isUrgent && now - this.#toldAt < NEWS_MS) return;
    this.#toldAt = now;
    const { report } = this.#builder.soFar;
    this.#onNews({
      share: this.#share,
      isReading: this.#isReading,
      report,
      padding: this.#padding,
      shared: this.#shared,
      problem: this.#problem,
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
