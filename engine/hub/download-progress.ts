/** How far a download is. */
export interface DownloadState {
  /** For people: "downloading owner/name". */
  readonly task: string;
  /** Bytes, or the parts of another task. */
  readonly done: number;
  readonly total: number;
  /** Bytes per second, lately; there where `done` and `total` are bytes. */
  readonly rate?: number;
}

/** Told now and then. */
export type OnDownload = (state: DownloadState) => void;

/** Time between two reports. */
const REPORT_MS = 250;

/** The rate is that of about so long. */
const WINDOW_MS = 10_000;

/** Counts the bytes of a download, and tells how fast they come. */
export class DownloadProgress {
  readonly #task: string;
  readonly #total: number;
  readonly #tell: OnDownload;
  readonly #now: () => number;
  #done = 0;
  /** Bytes that came, of those that were not there before. */
  #came = 0;
  #reported: number;
  /** Points of time and what had come by then, the oldest first. */
  #points: (readonly [time: number, came: number])[];

  /** @param now milliseconds of a clock that only goes forward */
  constructor(task: string, total: number, tell: OnDownload, now = () => performance.now()) {
    this.#task = task;
    this.#total = total;
    this.#tell = tell;
    this.#now = now;
    this.#reported = -Infinity;
    this.#points = [[now(), 0]];
  }

  /** @param bytes that came, that were there before, or (fewer than none) that were thrown away */
  add(bytes: number, isNew: boolean): void {
    this.#done += bytes;
    if (isNew) this.#came += bytes;
    const now = this.#now();
    if (now - this.#reported >= REPORT_MS && this.#done < this.#total) this.#report(now);
  }

  /** All of it is there. */
  end(): void {
    this.#done = this.#total;
    this.#report(this.#now());
  }

  #report(now: number): void {
    this.#reported = now;
    this.#points.push([now, this.#came]);
    while (this.#points.length > 2 && now - this.#points[1]![0] >= WINDOW_MS) this.#points.shift();
    const [time, came] = this.#points[0]!;
    const rate = now > time ? (1000 * (this.#came - came)) / (now - time) : 0;
    this.#tell({ task: this.#task, done: Math.max(0, this.#done), total: this.#total, rate });
  }
}
