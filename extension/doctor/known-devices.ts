import * as vscode from 'vscode';
import { formatBytes } from '../../server/format.ts';
import { examineMachine } from '../../server/protocol/machine.ts';
import type { ServerLink } from '../server-link.ts';
import { type MachineReport, machineReportSchema } from './machine-report.ts';

/** For so long what was found is taken to be so, in milliseconds: of its memory others take more or less. */
const KNOWN_MS = 60_000;

/** A device as people choose it. */
export interface KnownDevice {
  /** As `engine.device` names it. */
  readonly name: string;
  /** What it is, and how much memory it has: `NVIDIA GeForce RTX 4090`, `24.0 GiB, 22.0 GiB free`. */
  readonly facts: readonly string[];
  /** Why it cannot be used: a sentence with the way out; null where it can. */
  readonly problem: string | null;
}

/** The devices of this machine, for all who list them: a look takes seconds, and a little memory of each of them. */
export class KnownDevices {
  readonly #server: ServerLink;
  readonly #isComputing: () => Promise<boolean>;
  readonly #didForget = new vscode.EventEmitter<void>();
  #found: Promise<readonly KnownDevice[]> | undefined;
  #foundAt = 0;

  /** Fires when what was known may be otherwise now. */
  readonly onDidForget = this.#didForget.event;

  /** @param isComputing whether a run goes on, which is found out where it is not known yet */
  constructor(server: ServerLink, isComputing: () => Promise<boolean>) {
    this.#server = server;
    this.#isComputing = isComputing;
  }

  /** Those that there are, as they were found less than a minute ago. Throws the server's error answer. */
  look(): Promise<readonly KnownDevice[]> {
    if (this.#found === undefined || Date.now() - this.#foundAt > KNOWN_MS) {
      const found: Promise<readonly KnownDevice[]> = this.#server
        .ask(examineMachine, {})
        .then((report) => {
          const devices = devicesOf(machineReportSchema.parse(report));
          // Who waits for what was forgotten meanwhile is told what there is now.
          return this.#found === undefined || this.#found === found ? devices : this.#found;
        });
      found.catch(() => {
        if (this.#found === found) this.#found = undefined;
      });
      this.#found = found;
      this.#foundAt = Date.now();
    }
    return this.#found;
  }

  /** The same for who did not ask for it: while a run goes on, no device is tried for that, which it may have filled. */
  async lookAside(): Promise<readonly KnownDevice[]> {
    return (await this.#isComputing()) ? ((await this.#found) ?? []) : this.look();
  }

  /** Something was set up, or somebody wants to see what there is now. */
  forget(): void {
    this.#found = undefined;
    this.#didForget.fire();
  }

  dispose(): void {
    this.#didForget.dispose();
  }
}

/** None without ONNX Runtime. */
function devicesOf({ onnxruntime, cpu, memory }: MachineReport): readonly KnownDevice[] {
  if ('problem' in onnxruntime) return [];
  return onnxruntime.devices.map(({ device: name, problem, gpu }) => {
    const facts =
      name === 'cpu'
        ? [coresText(cpu.logicalCores), memoryText(memory.totalBytes, memory.freeBytes)]
        : gpu === undefined
          ? []
          : [gpu.name, memoryText(gpu.memoryBytes, gpu.freeBytes)];
    return { name, facts, problem: problem ?? null };
  });
}

function coresText(count: number): string {
  return count === 1 ? vscode.l10n.t('1 core') : vscode.l10n.t('{0} cores', count);
}

function memoryText(all: number | null, free: number | null): string {
  if (all === null) return vscode.l10n.t('memory unknown');
  return free === null
    ? formatBytes(all)
    : vscode.l10n.t('{0}, {1} free', formatBytes(all), formatBytes(free));
}
