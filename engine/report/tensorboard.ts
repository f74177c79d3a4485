import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PartialFile } from '../files/append.ts';
import type { SampleEvent, TrainEvent } from '../train/events.ts';
import { PendingFile } from './pending-file.ts';
import { reportFolder, reportName } from './report-folder.ts';
import { grouped, scalarsOf } from './scalars.ts';
import { scalarEvent, sessionStartEvent, textEvent, versionEvent } from './tensorboard-event.ts';
import { tfRecord } from './tfrecord.ts';
import { sampleName, type TrackedRun, type Tracker } from './tracker.ts';

/** What TensorBoard takes for a file of events, and the second in which it was begun. */
const EVENT_FILE = /^events\.out\.tfevents\.(\d{1,12})\.lorafa$/;

/**
 * Event files of TensorBoard: a folder for each run, a file for each session. That a session goes on after a
 * step is said in its file, by which TensorBoard leaves out what earlier files say of later steps.
 */
export class TensorBoard implements Tracker {
  readonly program = 'TensorBoard';
  readonly #run: TrackedRun;
  readonly #file = new PendingFile(() => this.#open());

  constructor(run: TrackedRun) {
    this.#run = run;
    const place = { time: Date.now(), step: run.firstStep };
    this.#note(versionEvent(place.time));
    // The first one, too: TensorBoard takes it for the start of the run, and only others for restarts.
    this.#note(sessionStartEvent(place));
    this.#note(textEvent(place, 'config', literal(JSON.stringify(run.config, null, 2))));
  }

  note(event: TrainEvent, time: number): void {
    if (event.type === 'sample') {
      this.#noteSample(event, time);
      return;
    }
    const scalars = scalarsOf(event);
    if (scalars === undefined) return;
    for (const [name, value] of Object.entries(grouped(scalars))) {
      this.#note(scalarEvent({ time, step: scalars.step }, name, value));
    }
  }

  write(isDurable: boolean): Promise<void> {
    return this.#file.write(isDurable);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #noteSample(sample: SampleEvent, time: number): void {
    const { step, prompt, text } = sample;
    const markdown = `**Prompt**\n\n${literal(prompt)}\n\n**Answer**\n\n${literal(text)}`;
    this.#note(textEvent({ time, step }, sampleName(this.#run, sample), markdown));
  }

  #note(event: Uint8Array): void {
    this.#file.note(tfRecord(event));
  }

  /** Files are read in the order of their names, so that each is later by its name than those before. */
  async #open(): Promise<PartialFile> {
    const folder = await reportFolder(this.#run, reportName(this.#run));
    const earlier = (await readdir(folder)).map((file) => Number(EVENT_FILE.exec(file)?.[1] ?? 0));
    const second = Math.max(Math.floor(Date.now() / 1000), ...earlier.map((time) => time + 1));
    return PartialFile.open(path.join(folder, `events.out.tfevents.${second}.lorafa`));
  }
}

/** A text in Markdown that is shown as it is. */
function literal(text: string): string {
  return text
    .split(/\r\n|[\r\n]/)
    .map((line) => `    ${line}`)
    .join('\n');
}
