import type { OfferedDevice } from '../../extension/doctor/offered-device.ts';
import { type FolderMove, movedPath } from '../../extension/folder-move.ts';
import type { UsableAdapter } from '../../extension/models/model-catalog.ts';
import type {
  CatalogNews,
  PlaygroundState,
  Writer,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { writerId } from './by-writer.ts';
import { labelled } from './labelled.ts';
import { isAnyOpen, showOptions } from './options.ts';
import type { NamedWriter } from './parts.ts';

/** What the picker tells. */
export interface ModelPickerEvents {
  onChange(): void;
  onRefresh(): void;
}

/** Values of the list of those who write beside the adapter; others are folders of adapters. */
const NONE = 'none';
const BASE = 'base';

/** How often it is looked whether a list that is open has closed, in milliseconds. */
const OPEN_MS = 200;

/** Devices by the names that `engine.device` takes, until it is known which there are. */
const AUTO = 'auto';
const DEVICES = [AUTO, 'cpu', 'cuda', 'webgpu'];

/** Base model, adapter, who writes beside it, and device; the adapters are those of the base model. */
export class ModelPicker {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  readonly #model: HTMLSelectElement;
  readonly #adapter: HTMLSelectElement;
  readonly #device: HTMLSelectElement;
  readonly #beside: HTMLSelectElement;
  readonly #quantized: HTMLElement;
  /** What was picked and is not there any more, and what is used instead. */
  readonly #gone = element('p', { class: 'gone', attributes: { role: 'status' } });
  readonly #onChange: () => void;
  #catalog: CatalogNews | undefined;
  /** Waits until no list is open. */
  #waiting: number | undefined;
  #waitingDevices: number | undefined;
  /** What was last told of. */
  #told = '';
  /** What shall be picked, also while it is not there: a folder is renamed before one hears of it. */
  #wanted: { adapter: string; beside: string };
  /** Path of the base model that was picked and is not there any more; empty where none is. */
  #modelGone = '';
  /** Whether the user, now or before a reload, has chosen an adapter or none. */
  #hasChosen: boolean;

  constructor(
    texts: PlaygroundTexts,
    saved: PlaygroundState | undefined,
    { onChange, onRefresh }: ModelPickerEvents,
  ) {
    this.#texts = texts;
    this.#onChange = onChange;
    this.#hasChosen = saved !== undefined && saved.model !== '';
    this.#model = element('select', { on: { change: () => this.#chooseModel() } });
    this.#adapter = element('select', { on: { change: () => this.#choose() } });
    this.#wanted = { adapter: saved?.adapter ?? '', beside: saved?.beside ?? BASE };
    this.#device = element(
      'select',
      { on: { change: () => this.#change() } },
      devicesWith(saved?.device ?? AUTO).map((name) =>
        element('option', {
          text: name === AUTO ? texts.deviceAuto : name.toUpperCase(),
          attributes: { value: name },
        }),
      ),
    );
    this.#beside = element('select', { on: { change: () => this.#chooseBeside() } });
    this.#quantized = element('p', {
      class: 'quantized quiet',
      text: texts.quantized,
      attributes: { hidden: true },
    });
    this.#device.value = saved?.device ?? AUTO;
    // Until the catalogue comes, what was picked stands alone in its list.
    if (saved !== undefined) {
      showOptions(this.#model, saved.model, [option(saved.model, saved.model)]);
      showOptions(this.#adapter, saved.adapter, [option(saved.adapter, saved.adapter)]);
    }
    this.#fillBeside();
    this.root = element('div', { class: 'picker' }, [
      labelled(texts.model, this.#model),
      labelled(texts.adapter, this.#adapter),
      labelled(texts.beside, this.#beside),
      labelled(texts.device, this.#device),
      element('button', {
        text: texts.refresh,
        attributes: { type: 'button', title: texts.refreshHint },
        on: { click: onRefresh },
      }),
      this.#quantized,
      this.#gone,
    ]);
  }

  /** Path of the base model; empty without one. */
  get model(): string {
    return this.#model.value;
  }

  /** Folder of the adapter; empty for none. */
  get adapter(): string {
    return this.#adapter.value;
  }

  /** What the adapter is called, or the base model without one; empty without either. */
  get name(): string {
    if (this.adapter !== '') return this.#nameOf(this.adapter);
    return this.model === '' ? '' : this.#modelName;
  }

  /** Those who write: the one beside first, the adapter last. */
  get writers(): readonly NamedWriter[] {
    const texts = this.#texts;
    const { adapter, beside } = this;
    const alone: Writer = { adapter: null, quantization: this.#writerOf(adapter).quantization };
    const id = (path: string): string => writerId(this.model, path || null);
    const { baseTitle } = texts;
    const base: NamedWriter = {
      side: 'beside',
      id: id(''),
      writer: alone,
      title: baseTitle,
      name: baseTitle,
    };
    if (adapter === '') return [base];
    const other: NamedWriter[] =
      beside === NONE
        ? []
        : beside === BASE
          ? [base]
          : [
              {
                side: 'beside',
                id: id(beside),
                writer: this.#writerOf(beside),
                title: this.#nameOf(beside),
                name: this.#nameOf(beside),
              },
            ];
    const name = this.#nameOf(adapter);
    const title = beside === NONE || beside === BASE ? texts.adapterTitle : name;
    const writer = this.#writerOf(adapter);
    return [...other, { side: 'adapter', id: id(adapter), writer, title, name }];
  }

  /** Who is beside the adapter; see `PlaygroundState`. */
  get beside(): string {
    return this.#beside.value;
  }

  get device(): string {
    return this.#device.value;
  }

  get state(): Pick<PlaygroundState, 'model' | 'adapter' | 'device' | 'beside'> {
    const { model, adapter, device, beside } = this;
    return { model, adapter, device, beside };
  }

  /** Shows what there is to pick from, and keeps what is picked where it is still there. */
  show(catalog: CatalogNews): void {
    window.clearTimeout(this.#waiting);
    const { picked } = catalog;
    if (picked === null && isAnyOpen([this.#model, this.#adapter, this.#beside])) {
      // What one is about to pick does not move away.
      this.#waiting = window.setTimeout(() => this.show(catalog), OPEN_MS);
      return;
    }
    this.#catalog = catalog;
    const known = new Map(catalog.models.map(({ path, name }) => [path, name]));
    for (const { model } of catalog.adapters) {
      // The base model of an adapter may lie where nobody looks for models.
      if (model !== null && !known.has(model)) known.set(model, lastPart(model));
    }
    const before = this.model;
    // What is picked stays, whatever appears on disk.
    const isOpen = !this.#hasChosen && this.adapter === '';
    const newest = isOpen ? catalog.adapters.find(({ model }) => model) : undefined;
    const wanted = catalog.adapters.find(({ path }) => path === picked) ?? newest;
    const models = [...known].map(([path, name]) => option(path, name));
    if (models.length === 0) models.push(option('', this.#texts.noModels));
    showOptions(this.#model, wanted?.model ?? this.#model.value, models);
    this.#wanted.adapter = wanted?.path ?? this.#wanted.adapter;
    if (wanted !== undefined || known.has(this.#modelGone)) this.#modelGone = '';
    else if (before !== '' && this.model !== before) this.#modelGone = before;
    this.#fillAdapters();
  }

  /** Offers the devices that there are, once they are known, with what they are. */
  showDevices(devices: readonly OfferedDevice[]): void {
    window.clearTimeout(this.#waitingDevices);
    if (devices.length === 0) return;
    if (isAnyOpen([this.#device])) {
      this.#waitingDevices = window.setTimeout(() => this.showDevices(devices), OPEN_MS);
      return;
    }
    const picked = this.device;
    const isOffered = picked === AUTO || devices.some(({ name }) => name === picked);
    showOptions(this.#device, picked, [
      option(AUTO, this.#texts.deviceAuto),
      ...devices.map(({ name, label }) => option(name, label)),
      ...(isOffered ? [] : [option(picked, picked)]),
    ]);
  }

  /** An adapter has another name, and stays what is picked. */
  follow(move: FolderMove): void {
    const { adapter, beside } = this.#wanted;
    this.#wanted = { adapter: movedPath(adapter, move), beside: movedPath(beside, move) };
    // What waits has the old name in it, and another one is on its way.
    window.clearTimeout(this.#waiting);
    if (this.#catalog === undefined) return;
    const adapters = this.#catalog.adapters.map((each) => ({
      ...each,
      path: movedPath(each.path, move),
      name: each.path === move.from ? lastPart(move.to) : each.name,
    }));
    this.#catalog = { ...this.#catalog, adapters };
    this.#fillAdapters();
  }

  /** Says what was picked and is gone: who writes now would stand there without a word. */
  #tellGone(): void {
    const texts = this.#texts;
    const { adapter, beside } = this.#wanted;
    const isGone = (path: string): boolean =>
      this.#catalog !== undefined && !this.#catalog.adapters.some((each) => each.path === path);
    const sentences = [
      ...(this.#modelGone === ''
        ? []
        : [fill(texts.modelGone, lastPart(this.#modelGone), this.#modelName)]),
      ...(adapter !== '' && isGone(adapter) ? [fill(texts.adapterGone, lastPart(adapter))] : []),
      ...(this.adapter !== '' && ![NONE, BASE].includes(beside) && isGone(beside)
        ? [fill(texts.besideGone, lastPart(beside))]
        : []),
    ];
    showText(this.#gone, sentences.join(' '));
  }

  get #modelName(): string {
    return this.#model.selectedOptions[0]?.textContent ?? '';
  }

  #choose(): void {
    this.#hasChosen = true;
    this.#modelGone = '';
    this.#wanted.adapter = this.adapter;
    this.#fillBeside();
    this.#change();
  }

  #chooseBeside(): void {
    this.#wanted.beside = this.beside;
    this.#change();
  }

  #chooseModel(): void {
    this.#modelGone = '';
    this.#wanted.adapter = this.#fitting[0]?.path ?? '';
    this.#fillAdapters();
  }

  /** The adapters of the base model that is picked. */
  get #fitting(): readonly UsableAdapter[] {
    return (this.#catalog?.adapters ?? []).filter(({ model }) => model === this.model);
  }

  #change(): void {
    this.#quantized.hidden = this.#writerOf(this.adapter).quantization === null;
    this.#tellGone();
    const told = JSON.stringify([this.state, this.writers]);
    if (told === this.#told) return;
    this.#told = told;
    this.#onChange();
  }

  #fillAdapters(): void {
    const fitting = this.#fitting;
    const none = element('option', { text: this.#texts.noAdapter, attributes: { value: '' } });
    const group = (label: string, adapters: readonly UsableAdapter[]): HTMLElement[] =>
      adapters.length === 0
        ? []
        : [
            element(
              'optgroup',
              { attributes: { label } },
              adapters.map((each) => option(each.path, this.#called(each))),
            ),
          ];
    showOptions(this.#adapter, this.#wanted.adapter, [
      none,
      ...group(
        this.#texts.adapters,
        fitting.filter(({ checkpointOf }) => checkpointOf === null),
      ),
      ...group(
        this.#texts.checkpoints,
        fitting.filter(({ checkpointOf }) => checkpointOf !== null),
      ),
    ]);
    this.#fillBeside();
    this.#change();
  }

  #fillBeside(): void {
    const chosen = this.#wanted.beside;
    const others = this.#fitting.filter(({ path }) => path !== this.adapter);
    const texts = this.#texts;
    // Until the catalogue comes, what was picked stands in its list.
    const kept = this.#catalog === undefined && ![NONE, BASE].includes(chosen) ? [chosen] : [];
    showOptions(this.#beside, chosen, [
      option(BASE, texts.besideBase),
      option(NONE, texts.besideNone),
      ...kept.map((path) => option(path, path)),
      ...others.map((each) => option(each.path, this.#called(each))),
    ]);
    this.#beside.disabled = this.adapter === '';
    this.#beside.title = this.adapter === '' ? texts.noAdapter : '';
  }

  /** An adapter on the base model as it learned to work on it. */
  #writerOf(path: string): Writer {
    const known = this.#catalog?.adapters.find((each) => each.path === path);
    return { adapter: path, quantization: known?.quantization ?? null };
  }

  #nameOf(path: string): string {
    const known = this.#catalog?.adapters.find((each) => each.path === path);
    return known === undefined ? lastPart(path) : this.#called(known);
  }

  /** What tells checkpoints of a run apart comes first: a list may be too narrow for the rest. */
  #called({ name, checkpointOf }: UsableAdapter): string {
    const slash = name.lastIndexOf('/');
    if (checkpointOf === null || slash < 0) return name;
    return fill(this.#texts.checkpointOf, name.slice(slash + 1), name.slice(0, slash));
  }
}

/** The names that all know, and one that was picked before, such as that of a second GPU. */
function devicesWith(picked: string): readonly string[] {
  return DEVICES.includes(picked) ? DEVICES : [...DEVICES, picked];
}

function option(path: string, name: string): HTMLElement {
  return element('option', { text: name, attributes: { value: path, title: path } });
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
