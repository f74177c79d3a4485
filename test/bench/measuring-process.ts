import { spawn } from 'node:child_process';
import { processMemory } from './process-memory.ts';

/** Milliseconds between two looks at a process's memory; one look reads a few counters. */
const LOOK_MS = 100;

/** Lines of a failed process's messages that are shown. */
const SHOWN_LINES = 5;

/** A program and what it is started with. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The last line of a program's output as JSON, and the most memory of its own that it had. */
export interface Measured<T> {
  readonly result: T;
  /** Bytes; undefined where the system does not tell. */
  readonly peakAnonymous: number | undefined;
}

/**
 * Runs a measurement in a process of its own.
 *
 * @param signal kills the process at once
 * @throws Error with the last words of a process that failed
 */
export async function runMeasurement<T>(
  { command, args, env = {} }: Program,
  signal: AbortSignal,
): Promise<Measured<T>> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const [output, errors]: [string[], string[]] = [[], []];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  let peakAnonymous: number | undefined;
  const look = setInterval(() => {
    const { anonymous } = processMemory(child.pid ?? 0);
    if (anonymous !== undefined) peakAnonymous = Math.max(peakAnonymous ?? 0, anonymous);
  }, LOOK_MS);
  try {
    const end = await new Promise<string>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, killedBy) => resolve(String(code ?? killedBy)));
    });
    if (end !== '0') {
      const words = errors.join('').trim().split('\n').slice(-SHOWN_LINES).join('\n');
      throw new Error(`${command} ended with ${end}: ${words}`);
    }
    const last = output.join('').trim().split('\n').at(-1) ?? '';
    return { result: JSON.parse(last) as T, peakAnonymous };
  } finally {
    clearInterval(look);
  }
}
