import type { UsableAdapter } from '../../extension/models/model-catalog.ts';
import type {
  CatalogNews,
  PlaygroundState,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import type { ModelChoice } from '../../server/protocol.ts';
import { element } from '../webview/element.ts';

/** What the picker tells. */
export interface ModelPickerEvents {
  onChange(): void;
  onRefresh(): void;
}

/** Devices by the names that `engine.device` takes. */
const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu'];

/** Base model, adapter and device; the adapters are those of the base model. */
export class ModelPicker {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  readonly #model: HTMLSelectElement;
  readonly #adapter: HTMLSelectElement;
  readonly #device: HTMLSelectElement;
  readonly #compare: HTMLInputElement;
  readonly #quantized: HTMLElement;
  readonly #onChange: () => void;
  #catalog: CatalogNews | undefined;
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
    this.#model = element('select', { on: { change: () => this.#fillAdapters(null) } });
    this.#adapter = element('select', { on: { change: () => this.#choose() } });
    this.#device = element(
      'select',
      { on: { change: onChange } },
      DEVICES.map((name) =>
        element('option', {
          text: name === 'auto' ? texts.deviceAuto : name.toUpperCase(),
          attributes: { value: name },
        }),
      ),
    );
    this.#compare = element('input', {
      attributes: { type: 'checkbox' },
      on: { change: onChange },
    });
    this.#compare.checked = saved?.isCompared ?? true;
    this.#quantized = element('p', {
      class: 'quantized quiet',
      text: texts.quantized,
      attributes: { hidden: true },
    });
    this.#device.value = saved?.device ?? 'auto';
    // Until the catalogue comes, what was picked stands alone in its list.
    if (saved !== undefined) {
      select(this.#model, saved.model, [option(saved.model, saved.model)]);
      select(this.#adapter, saved.adapter, [option(saved.adapter, saved.adapter)]);
    }
    this.root = element('div', { class: 'picker' }, [
      labelled(texts.model, this.#model),
      labelled(texts.adapter, this.#adapter),
      labelled(texts.device, this.#device),
      element('button', {
        text: texts.refresh,
        attributes: { type: 'button', title: texts.refreshHint },
        on: { click: onRefresh },
      }),
      element('label', { class: 'check' }, [this.#compare, texts.compare]),
      this.#quantized,
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

  /** How the base model is opened for both sides: as the adapter learned to work on it. */
  get quantization(): ModelChoice['quantization'] {
    const picked = this.#catalog?.adapters.find(({ path }) => path === this.adapter);
    return picked?.quantization ?? null;
  }

  get device(): string {
    return this.#device.value;
  }

  get isCompared(): boolean {
    return this.#compare.checked;
  }

  get state(): Pick<PlaygroundState, 'model' | 'adapter' | 'device' | 'isCompared'> {
    const { model, adapter, device, isCompared } = this;
    return { model, adapter, device, isCompared };
  }

  /** Shows what there is to pick from, and keeps what is picked where it is still there. */
  show(catalog: CatalogNews): void {
    this.#catalog = catalog;
    const known = new Map(catalog.models.map(({ path, name }) => [path, name]));
    for (const { model } of catalog.adapters) {
      // The base model of an adapter may lie where nobody looks for models.
      if (model !== null && !known.has(model)) known.set(model, lastPart(model));
    }
    const newest = this.#hasChosen ? undefined : catalog.adapters.find(({ model }) => model);
    const wanted = catalog.adapters.find(({ path }) => path === catalog.picked) ?? newest;
    const models = [...known].map(([path, name]) => option(path, name));
    if (models.length === 0) models.push(option('', this.#texts.noModels));
    select(this.#model, wanted?.model ?? this.#model.value, models);
    this.#fillAdapters(wanted?.path ?? this.#adapter.value);
  }

  #choose(): void {
    this.#hasChosen = true;
    this.#change();
  }

  #change(): void {
    this.#quantized.hidden = this.quantization === null;
    this.#onChange();
  }

  /** @param chosen folder of the adapter to pick; null for the newest */
  #fillAdapters(chosen: string | null): void {
    const fitting = (this.#catalog?.adapters ?? []).filter(({ model }) => model === this.model);
    const none = element('option', { text: this.#texts.noAdapter, attributes: { value: '' } });
    const group = (label: string, adapters: readonly UsableAdapter[]): HTMLElement[] =>
      adapters.length === 0
        ? []
        : [
            element(
              'optgroup',
              { attributes: { label } },
              adapters.map(({ path, name }) => option(path, name)),
            ),
          ];
    select(this.#adapter, chosen ?? fitting[0]?.path ?? '', [
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
    this.#compare.disabled = fitting.length === 0;
    this.#change();
  }
}

function labelled(text: string, control: HTMLElement): HTMLElement {
  return element('label', { class: 'field' }, [element('span', { text }), control]);
}

function option(path: string, name: string): HTMLElement {
  return element('option', { text: name, attributes: { value: path, title: path } });
}

/** Replaces the options; a value that is none of them picks the first. */
function select(list: HTMLSelectElement, value: string, options: readonly HTMLElement[]): void {
  list.replaceChildren(...options);
  list.value = value;
  if (list.selectedIndex < 0) list.selectedIndex = 0;
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}
