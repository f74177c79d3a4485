import type { CancellationToken } from 'vscode-jsonrpc/node';
import type { Generation, GenerationAnswer, ModelChoice } from '../protocol/generation.ts';
import { GeneratorProcess, type LoadProgress } from './generator-process.ts';

/** How long a model that nobody uses stays in memory. */
const IDLE_MS = 5 * 60_000;

/** What to generate with which model, and who hears of it. */
export interface GenerationRequest {
  readonly generation: Generation;
  readonly choice: ModelChoice;
  readonly onPiece: (text: string) => void;
  readonly onProgress: LoadProgress;
  readonly token: CancellationToken;
}

interface Running {
  readonly process: GeneratorProcess;
  active: number;
  idle: NodeJS.Timeout | undefined;
}

/** The generators of one server: a process for each {@link ModelChoice} that is in use, and a while longer. */
export class Generators {
  readonly #script: string;
  readonly #idleMs: number;
  readonly #running = new Map<string, Running>();

  /** @param script the built `generator/main.ts` */
  constructor(script: string, idleMs = IDLE_MS) {
    this.#script = script;
    this.#idleMs = idleMs;
  }

  /** The number of models in memory. */
  get count(): number {
    return this.#running.size;
  }

  /** Lets a model write; see {@link GeneratorProcess.generate}. */
  generate(request: GenerationRequest): Promise<GenerationAnswer> {
    const { choice, generation, onPiece, onProgress, token } = request;
    return this.#use(choice, (process) => process.generate(generation, onPiece, onProgress, token));
  }

  /** The number of tokens that a model's tokenizer makes of a text. */
  countTokens(choice: ModelChoice, text: string, token: CancellationToken): Promise<number> {
    return this.#use(choice, (process) => process.countTokens(text, token));
  }

  /** Ends all generators. */
  async dispose(): Promise<void> {
    const all = [...this.#running];
    for (const [key, running] of all) this.#stop(key, running);
    await Promise.all(all.map(([, running]) => running.process.ended));
  }

  /** Works with a model's process, which is started if need be and kept a while. */
  async #use<T>(choice: ModelChoice, task: (process: GeneratorProcess) => Promise<T>): Promise<T> {
    const { model, device, quantization } = choice;
    const key = JSON.stringify([model, device, quantization]);
    const running = this.#running.get(key) ?? this.#start(key, choice);
    running.active += 1;
    clearTimeout(running.idle);
    try {
      return await task(running.process);
    } finally {
      running.active -= 1;
      if (running.active === 0) {
        running.idle = setTimeout(() => this.#stop(key, running), this.#idleMs);
      }
    }
  }

  #start(key: string, choice: ModelChoice): Running {
    const running: Running = {
      process: new GeneratorProcess(this.#script, choice),
      active: 0,
      idle: undefined,
    };
    this.#running.set(key, running);
    void running.process.ended.then(() => this.#forget(key, running));
    return running;
  }

  #stop(key: string, running: Running): void {
    this.#forget(key, running);
    running.process.kill();
  }

  #forget(key: string, running: Running): void {
    clearTimeout(running.idle);
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}
