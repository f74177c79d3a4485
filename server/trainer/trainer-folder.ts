import path from 'node:path';
import { type ErrorCode, LorafaError } from '../../engine/errors.ts';
import { ensureFolder } from '../../engine/files/folders.ts';
import { refuseOccupied } from '../../engine/train/occupied-folder.ts';
import { RUN_FILES } from '../../engine/train/run-files.ts';
import { RunLock } from '../../engine/train/run-lock.ts';
import type { LogLevel } from '../protocol/runs.ts';
import { RunLog } from './run-log.ts';
import { isFinal, type RunStatus } from './run-status.ts';
import { HEARTBEAT_MS, type RunStateFile, writeStateFile } from './state-file.ts';
import type { TrainerJob } from './trainer-job.ts';
import { TRAINER_PROTOCOL_VERSION } from './trainer-protocol.ts';

/** Codes of the errors by which a lock says that a folder is no longer this run's. */
const LOST: ReadonlySet<ErrorCode> = new Set(['output.in_use', 'output.not_found']);

/** What a trainer keeps in the run folder beside the run itself: lock, state with heartbeat, log. */
export class TrainerFolder {
  readonly path: string;
  /** Resolves with the reason when another process has taken the folder over, or it is gone; nothing is written then. */
  readonly lost: Promise<LorafaError>;
  readonly #log: RunLog;
  readonly #lock: RunLock;
  readonly #heartbeat: NodeJS.Timeout;
  #content: RunStateFile;
  /** Writes follow each other; of several that wait only the newest is done. */
  #writing: Promise<void> = Promise.resolve();
  #isDue = false;
  #logging: Promise<void> = Promise.resolve();
  #isLost = false;
  #lose!: (error: LorafaError) => void;

  private constructor(folder: string, log: RunLog, lock: RunLock, content: RunStateFile) {
    this.path = folder;
    this.#log = log;
    this.#lock = lock;
    this.#content = content;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
    this.#heartbeat = setInterval(() => this.#write(), HEARTBEAT_MS);
  }

  /**
   * Takes a run folder into use for a trainer and stores its first state.
   *
   * @throws LorafaError `output.in_use`, `output.not_writable`; what was there is untouched then
   */
  static async claim(
    { config, configFile }: TrainerJob,
    address: string,
    status: RunStatus,
  ): Promise<TrainerFolder> {
    const { output_dir: folder } = config.training;
    await ensureFolder(folder);
    const lock = await RunLock.acquire(folder);
    try {
      await refuseOccupied(config);
      const log = await RunLog.open(path.join(folder, RUN_FILES.log));
      const content: RunStateFile = {
        version: 1,
        pid: process.pid,
        address,
        protocolVersion: TRAINER_PROTOCOL_VERSION,
        heartbeat: status.since,
        queued: status.since,
        configFile,
        status,
      };
      await writeStateFile(folder, content);
      return new TrainerFolder(folder, log, lock, content);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** When the run was asked for, ISO 8601. */
  get queued(): string {
    return this.#content.queued;
  }

  /** Adds a line to the log; resolves when it is on disk, and never rejects. */
  addToLog(level: LogLevel, text: string): Promise<void> {
    this.#logging = this.#logging.then(async () => {
      if (await this.#isOurs()) await this.#log.add(level, text);
    });
    return this.#logging;
  }

  /** Stores a status: soon if it is urgent, otherwise with the next heartbeat. */
  store(status: RunStatus, isUrgent: boolean): void {
    this.#content = { ...this.#content, status };
    if (isUrgent) this.#write();
  }

  /**
   * Stores the final status and gives the folder free. A disk that is full is no reason to stay:
   * with the lock gone everyone sees that the run ended.
   */
  async close(status: RunStatus): Promise<void> {
    if (!isFinal(status.state)) throw new Error(`${status.state} is not the end of a run`);
    clearInterval(this.#heartbeat);
    this.#content = { ...this.#content, status, address: null };
    this.#write();
    await this.#writing;
    await this.#logging;
    await this.#log.close();
    await this.#lock.release();
  }

  async #isOurs(): Promise<boolean> {
    if (this.#isLost) return false;
    try {
      await this.#lock.verify();
    } catch (error) {
      const isOver = error instanceof LorafaError && LOST.has(error.code);
      if (!isOver) return true;
      this.#isLost = true;
      this.#lose(error);
    }
    return !this.#isLost;
  }

  #write(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#writing = this.#writing
      .then(async () => {
        this.#isDue = false;
        if (!(await this.#isOurs())) return;
        const heartbeat = new Date().toISOString();
        await writeStateFile(this.path, { ...this.#content, heartbeat });
      })
      .catch((error: unknown) => void this.addToLog('warning', String(error)));
  }
}
