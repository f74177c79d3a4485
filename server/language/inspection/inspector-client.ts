import type { CancellationToken } from 'vscode-jsonrpc/node';
import type { ConfigPath } from '../../../engine/config/config-error.ts';
import type { ResolvedConfig } from '../../../engine/config/schema.ts';
import { tokenToGive } from '../../../engine/hub/hub-token.ts';
import type { RunEstimate } from '../../../engine/plan/estimate-run.ts';
import type { TrainingMemory } from '../../../engine/plan/training-memory.ts';
import { autoDeviceOnce } from '../../../engine/runtime/auto-device.ts';
import type { DataSample, PreviewPage, PreviewState } from '../../protocol/data.ts';
import type { ModelOutlook } from '../../protocol/hub.ts';
import { ChildEnded, ConnectedChild } from '../../rpc/connected-child.ts';
import type { RequestMessage } from '../../rpc/message.ts';
import { serve } from '../../rpc/serve.ts';
import type { FileKnowledge } from '../value-completions.ts';
import type { Inspection } from './config-inspector.ts';
import { finding, MODEL_KEY } from './finding.ts';
import {
  dataNews,
  downloadModel,
  downloadProgressed,
  estimateConfig,
  estimateProgressed,
  estimateStarter,
  findAutoDevice,
  findChatTemplate,
  getDataRows,
  inspectConfig,
  inspectedPlace,
  listColumns,
  listModules,
  lookAtData,
  lookAtModel,
  readData,
  sampleFile,
  searchData,
} from './inspector-protocol.ts';

/** Looks at the files that configurations name, without keeping its caller busy. */
export interface Inspector extends FileKnowledge {
  /** See `ConfigInspector.inspect`; cancelled, it answers with what was found so far. */
  inspect(file: string, text: string, token: CancellationToken): Promise<Inspection>;
}

/** Told now and then how far something is. */
export type OnProgress = (progress: {
  readonly task: string;
  readonly done: number;
  readonly total: number;
}) => void;

/** How long inspections may take, in milliseconds. */
export interface InspectionLimits {
  /** The inspection of one configuration; one of a large model with much data takes a few seconds. */
  readonly inspection: number;
  /** The answer to one that is cancelled, which is looked at between its steps. */
  readonly cancelled: number;
}

const LIMITS: InspectionLimits = { inspection: 60_000, cancelled: 5000 };

/**
 * An inspector in a process of its own, which is started when it is first needed. What its files make
 * it do, for ever or until memory is full, ends with that process, and the next one is started for
 * what is asked next.
 */
export class InspectorClient implements Inspector {
  readonly #script: string;
  readonly #limits: InspectionLimits;
  readonly #onDevice: () => void;
  readonly #disposed = new WeakSet<ConnectedChild>();
  #child: ConnectedChild | undefined;
  /** Inspections come one after the other, so that it is known whose files the process is busy with. */
  #last: Promise<unknown> = Promise.resolve();
  #place: ConfigPath = MODEL_KEY;
  #onProgress: OnProgress = () => undefined;
  #onText: (text: string) => void = () => undefined;
  #onNews: (state: PreviewState) => void = () => undefined;

  /**
   * @param script the built `inspector-process.ts`
   * @param onDevice told when a device is known that an inspection was made without
   */
  constructor(
    script: string,
    limits: InspectionLimits = LIMITS,
    onDevice: () => void = () => undefined,
  ) {
    this.#script = script;
    this.#limits = limits;
    this.#onDevice = onDevice;
  }

  /** @throws Error only when it is disposed of meanwhile */
  inspect(file: string, text: string, token: CancellationToken): Promise<Inspection> {
    const inspection = this.#last.then(() => this.#inspect(file, text, token));
    this.#last = inspection.catch(() => undefined);
    return inspection;
  }

  columns(names: readonly string[]): Promise<readonly string[]> {
    return this.#ask(listColumns, { names });
  }

  moduleNames(model: string): Promise<readonly string[]> {
    return this.#ask(listModules, { model });
  }

  /** See `hasChatTemplate`. */
  hasChatTemplate(model: string, adapter: string | null): Promise<boolean> {
    return this.#ask(findChatTemplate, { model, adapter });
  }

  /**
   * Estimates a run from all of its data; see `estimateRun`. That keeps the process busy, so that it
   * is best asked of an inspector of its own, which is disposed of to cancel it.
   */
  estimate(config: ResolvedConfig, onProgress: OnProgress): Promise<RunEstimate> {
    this.#onProgress = onProgress;
    return this.#ask(estimateConfig, { config, hubToken: tokenToGive() });
  }

  /** The columns and first rows of a data file. */
  sample(file: string): Promise<DataSample> {
    return this.#ask(sampleFile, { file });
  }

  /**
   * Reads all data of a configuration; see `DataReading`. They stay in the process, so that this is
   * asked of an inspector of its own. Cancelled, the process ends if it does not answer soon.
   */
  async readData(
    file: string,
    onNews: (state: PreviewState) => void,
    token: CancellationToken,
  ): Promise<null> {
    this.#onNews = onNews;
    let timer: NodeJS.Timeout | undefined;
    const cancellation = token.onCancellationRequested(() => {
      timer = setTimeout(() => this.#child?.kill(), this.#limits.cancelled);
    });
    try {
      return await this.#ask(readData, { file, hubToken: tokenToGive() }, token);
    } finally {
      cancellation.dispose();
      clearTimeout(timer);
    }
  }

  /** Rows of the data that were read; while something is searched for, those that hold it. */
  dataRows(start: number, count: number): Promise<PreviewPage> {
    return this.#ask(getDataRows, { start, count });
  }

  /** Searches the data that are read. */
  searchData(text: string): Promise<null> {
    return this.#ask(searchData, { text });
  }

  /** What it would be to train a model, by a path or a name on the Hub. */
  lookAtModel(name: string): Promise<ModelOutlook> {
    return this.#ask(lookAtModel, { name, hubToken: tokenToGive() });
  }

  /** What training one of the models to begin with takes. */
  estimateStarter(name: string): Promise<TrainingMemory> {
    return this.#ask(estimateStarter, { name });
  }

  /** The columns and first rows of data on the Hub. */
  lookAtData(name: string): Promise<DataSample> {
    return this.#ask(lookAtData, { name, hubToken: tokenToGive() });
  }

  /** Brings a model of the Hub here; its path. Disposed of meanwhile, what has come is kept. */
  downloadModel(name: string, onText: (text: string) => void): Promise<string> {
    this.#onText = onText;
    return this.#ask(downloadModel, { name, hubToken: tokenToGive() });
  }

  /** Ends the process, whatever it is doing. */
  async dispose(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    this.#disposed.add(child);
    child.kill();
    await child.ended;
  }

  async #inspect(file: string, text: string, token: CancellationToken): Promise<Inspection> {
    if (token.isCancellationRequested) return { findings: [] };
    this.#child ??= this.#start();
    const child = this.#child;
    this.#place = MODEL_KEY;
    let reason: string | undefined;
    const endIn = (milliseconds: number): NodeJS.Timeout =>
      setTimeout(() => {
        reason = `took more than ${milliseconds / 1000} seconds`;
        child.kill();
      }, milliseconds);
    const timers = [endIn(this.#limits.inspection)];
    const cancellation = token.onCancellationRequested(() =>
      timers.push(endIn(this.#limits.cancelled)),
    );
    try {
      return await child.ask(inspectConfig, { file, text }, token);
    } catch (error) {
      if (!(error instanceof ChildEnded) || this.#disposed.has(child)) throw error;
      return { findings: [this.#ended(reason ?? `ended the process (${error.message})`)] };
    } finally {
      cancellation.dispose();
      for (const timer of timers) clearTimeout(timer);
    }
  }

  #ended(reason: string) {
    return finding(
      'error',
      this.#place,
      'inspection.ended',
      `looking at what this names ${reason}, so that nothing is known about it; take the original files, or others`,
    );
  }

  #ask<Params, Result>(
    message: RequestMessage<Params, Result>,
    params: Params,
    token?: CancellationToken,
  ): Promise<Result> {
    this.#child ??= this.#start();
    return this.#child.ask(message, params, token);
  }

  #start(): ConnectedChild {
    const child = new ConnectedChild(this.#script);
    child.connection.onNotification(inspectedPlace.method, (raw: unknown) => {
      this.#place = inspectedPlace.params.parse(raw).path;
    });
    child.connection.onNotification(estimateProgressed.method, (raw: unknown) =>
      this.#onProgress(estimateProgressed.params.parse(raw)),
    );
    child.connection.onNotification(dataNews.method, (raw: unknown) =>
      this.#onNews(dataNews.params.parse(raw).state),
    );
    child.connection.onNotification(downloadProgressed.method, (raw: unknown) =>
      this.#onText(downloadProgressed.params.parse(raw).text),
    );
    serve(child.connection, findAutoDevice, async ({ compute, waits }) => {
      const found = autoDeviceOnce(compute);
      if (waits) return found;
      // What was found out before comes first.
      const known = await Promise.race([found, null]);
      if (known === null) void found.then(this.#onDevice);
      return known;
    });
    child.connection.listen();
    void child.ended.then(() => {
      if (this.#child === child) this.#child = undefined;
      child.connection.dispose();
    });
    return child;
  }
}
