import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { initialStatus } from '../../../server/trainer/run-status.ts';
import { writeStateFile } from '../../../server/trainer/state-file.ts';
import { run, TinyRuns } from '../../engine/train/tiny-run.ts';
import { tempFolder } from '../../support/temp-folder.ts';

/** Reads as "fdp.exe" and turns what comes behind it. */
const TURNED = '\u202Eexe.pdf\u2066';
/** Sets a terminal's title and clears it. */
const STEERING = '\u001B]0;title\u0007\u001B[2J';
/** Opens a terminal; messages quote all of it. */
const SHORT_LINK = '[click](command:workbench.action.terminal.new)';
/** Long ago, so that nothing waits for a heartbeat. */
const THEN = '2026-01-01T10:00:00.000Z';

/**
 * A workspace that somebody made to have VS Code run a program: wherever its files or their names are
 * shown, there is a link that runs it in a terminal, HTML that asks a server, icons and characters
 * that turn or hide text.
 */
export class HostileFolder {
  readonly folder: string;
  /** As VS Code would show it as a link, if it were asked to. */
  readonly link: string;
  /** A run, an adapter and a model are called so. */
  readonly name: string;
  /** Paths that somebody's HTML asked the server for. */
  readonly requests: readonly string[];
  readonly #marker: string;
  readonly #outside: string;
  readonly #html: string;

  private constructor(root: string, port: number, requests: readonly string[]) {
    this.folder = path.join(root, 'ws');
    this.requests = requests;
    this.#marker = path.join(root, 'm');
    this.#outside = path.join(root, 'outside');
    const config = { executable: '/bin/touch', args: [this.#marker] };
    const argument = encodeURIComponent(JSON.stringify({ config }));
    this.link = `[click](command:workbench.action.terminal.new?${argument})`;
    this.name = `${this.link}$(alert)${TURNED}`;
    const server = `http://127.0.0.1:${port}`;
    this.#html = `<img src="${server}/image" onerror="location='${server}/error'"><script src="${server}/script"></script><a href="${server}/link">click</a>`;
  }

  /** Everything at once. */
  get text(): string {
    return `${this.link} $(alert) ${this.#html} ${TURNED} ${STEERING}`;
  }

  /** Whether the link's program has run. */
  get hasRun(): boolean {
    return existsSync(this.#marker);
  }

  /** Waits until it has run. */
  async waitForRun(): Promise<void> {
    await vi.waitUntil(() => this.hasRun, { timeout: 30_000, interval: 100 });
  }

  /** Every file and folder, inside and outside, with its length and the time of its last change. */
  async state(): Promise<readonly string[]> {
    const root = path.dirname(this.folder);
    const names = await readdir(root, { recursive: true });
    const lines = names.map(async (name) => {
      const { size, mtimeMs } = await stat(path.join(root, name));
      return `${name} ${size} ${mtimeMs}`;
    });
    return (await Promise.all(lines)).sort();
  }

  static async create(): Promise<HostileFolder> {
    const requests: string[] = [];
    const server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const made = new HostileFolder(await tempFolder(), port, requests);
    await mkdir(made.folder);
    await made.#write();
    return made;
  }

  async #write(): Promise<void> {
    const tiny = await TinyRuns.create(this.folder);
    const output = path.join(this.folder, 'runs', this.name);
    await run(tiny.config({ training: { output_dir: output } }));
    await this.#writeConfig('trained', { training: { output_dir: `runs/${this.name}` } });
    await this.#journal(output);

    const failed = path.join(this.folder, 'runs', 'failed');
    await cp(output, failed, { recursive: true });
    await this.#fail(failed);
    await this.#writeConfig('failed', { training: { output_dir: 'runs/failed' } });

    const adapter = path.join(this.folder, 'adapter');
    await cp(output, adapter, { recursive: true });
    await this.#spoilAdapter(adapter);
    await this.#writeConfig('adapted', { lora: { init_adapter: 'adapter' } });

    const model = path.join(this.folder, this.name);
    await cp(tiny.model, model, { recursive: true });
    await this.#spoilModel(model);
    await this.#writeConfig('misnamed', {
      model: { base_model_name_or_path: this.text },
      data: { [this.text]: this.text },
    });

    await this.#writeOutside(tiny);
    await this.#writeRows();
    await this.#writeConfig('rows', { data: { dataset_name_or_path: 'hostile.jsonl' } });
  }

  async #writeConfig(name: string, changes: Readonly<Record<string, object>>): Promise<void> {
    const config = {
      model: { base_model_name_or_path: 'model', ...changes['model'] },
      data: { dataset_name_or_path: 'rows.jsonl', max_length: 200, ...changes['data'] },
      lora: { ...changes['lora'] },
      training: { output_dir: `runs/${name}`, max_steps: 2, ...changes['training'] },
      engine: { device: 'cpu', intra_op_num_threads: 1 },
    };
    const file = path.join(this.folder, `${name}.lorafa.json`);
    await writeFile(file, `${JSON.stringify(config, null, 2)}\n`);
  }

  async #journal(folder: string): Promise<void> {
    const entries = [
      { type: 'sample', step: 2, prompt: this.text, text: this.text, time: THEN },
      { type: 'warning', message: this.text, time: THEN },
    ];
    const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    await appendFile(path.join(folder, 'events.jsonl'), lines);
    await writeFile(path.join(folder, 'run.log'), `${THEN} error ${this.text}\n${this.text}\n`);
  }

  async #fail(folder: string): Promise<void> {
    await writeStateFile(folder, {
      version: 1,
      pid: 1,
      address: null,
      protocolVersion: 1,
      heartbeat: THEN,
      queued: THEN,
      configFile: `/${this.text}`,
      status: {
        ...initialStatus('failed', THEN),
        reason: { code: 'training.crashed', message: this.text },
      },
    });
  }

  async #spoilAdapter(folder: string): Promise<void> {
    const file = path.join(folder, 'adapter_config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...config, use_dora: SHORT_LINK }));
  }

  async #spoilModel(folder: string): Promise<void> {
    const file = path.join(folder, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as object;
    const spoiled = { ...config, architectures: [this.text], model_type: this.text };
    await writeFile(file, JSON.stringify(spoiled));
  }

  /** A configuration that names what lies outside of the folder. */
  async #writeOutside({ model }: TinyRuns): Promise<void> {
    await cp(model, path.join(this.#outside, 'model'), { recursive: true });
    await writeFile(path.join(this.#outside, 'rows.jsonl'), '{"text": "secret"}\n');
    await this.#writeConfig('outside', {
      model: { base_model_name_or_path: '../outside/model' },
      data: { dataset_name_or_path: '../outside/rows.jsonl' },
      training: { output_dir: '../outside/run' },
    });
  }

  async #writeRows(): Promise<void> {
    const parts = [`${TURNED} ${STEERING}`, this.link, ...this.#html.split(/(?<=>)(?=<)/)];
    const rows = parts.map((part) => ({ prompt: '</pre></body>', completion: part }));
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeFile(path.join(this.folder, 'hostile.jsonl'), lines);
  }
}
