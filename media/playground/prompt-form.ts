import type {
  PlaygroundState,
  PromptMode,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import {
  parseStops,
  SAMPLING_FIELDS,
  type Sampling,
  type SamplingField,
} from '../../extension/playground/sampling.ts';
import { element } from '../webview/element.ts';

/** What the form tells. */
export interface PromptFormEvents {
  onChange(): void;
  onGenerate(): void;
  onStop(): void;
}

/** The prompt, how it is read and how tokens are drawn. */
export class PromptForm {
  readonly root: HTMLFormElement;
  readonly #mode: HTMLSelectElement;
  readonly #prompt: HTMLTextAreaElement;
  readonly #numbers: ReadonlyMap<SamplingField['name'], HTMLInputElement>;
  readonly #stops: HTMLTextAreaElement;
  readonly #generate: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;

  constructor(
    texts: PlaygroundTexts,
    saved: PlaygroundState | undefined,
    { onChange, onGenerate, onStop }: PromptFormEvents,
  ) {
    this.#mode = element('select', {}, [
      element('option', { text: texts.chat, attributes: { value: 'chat' } }),
      element('option', { text: texts.raw, attributes: { value: 'raw' } }),
    ]);
    this.#mode.value = saved?.mode ?? 'chat';
    this.#prompt = element('textarea', {
      attributes: { rows: 5, required: true, placeholder: texts.promptHint, id: 'prompt' },
    });
    this.#prompt.value = saved?.prompt ?? '';
    this.#numbers = new Map(
      SAMPLING_FIELDS.map(({ name, initial, min, max, step }) => {
        // `any` where the range does not start at a multiple of the step.
        const attributes = { type: 'number', min, max, step: step < 1 ? 'any' : 1, required: true };
        const input = element('input', { attributes });
        input.value = saved?.sampling[name] ?? String(initial);
        return [name, input];
      }),
    );
    this.#stops = element('textarea', { attributes: { rows: 2 } });
    this.#stops.value = saved?.sampling['stop'] ?? '';
    this.#generate = element('button', {
      class: 'primary',
      text: texts.generate,
      attributes: { type: 'submit', title: texts.generateHint },
    });
    this.#stop = element('button', {
      text: texts.stop,
      attributes: { type: 'button', disabled: true },
      on: { click: onStop },
    });
    const field = (text: string, control: HTMLElement): HTMLElement =>
      element('label', { class: 'field' }, [element('span', { text }), control]);
    this.root = element(
      'form',
      {
        on: {
          input: onChange,
          submit: (event) => {
            event.preventDefault();
            if (!this.#generate.disabled) onGenerate();
          },
          keydown: (event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              this.root.requestSubmit();
            }
          },
        },
      },
      [
        element('div', { class: 'prompt-head' }, [
          element('label', { text: texts.prompt, attributes: { for: 'prompt' } }),
          element('label', {}, [texts.mode, this.#mode]),
        ]),
        this.#prompt,
        element('div', { class: 'toolbar' }, [this.#generate, this.#stop]),
        element('details', {}, [
          element('summary', { text: texts.sampling }),
          element('div', { class: 'sampling' }, [
            ...[...this.#numbers].map(([name, input]) => field(texts[name], input)),
            field(texts.stopTexts, this.#stops),
          ]),
        ]),
      ],
    );
  }

  get mode(): PromptMode {
    return this.#mode.value === 'raw' ? 'raw' : 'chat';
  }

  get prompt(): string {
    return this.#prompt.value;
  }

  set prompt(text: string) {
    this.#prompt.value = text;
  }

  /** The numbers are in their ranges once the form was submitted. */
  get sampling(): Sampling {
    const number = (name: SamplingField['name']): number => this.#numbers.get(name)!.valueAsNumber;
    return {
      max_new_tokens: number('max_new_tokens'),
      temperature: number('temperature'),
      top_k: number('top_k'),
      top_p: number('top_p'),
      repetition_penalty: number('repetition_penalty'),
      seed: number('seed'),
      stop: parseStops(this.#stops.value),
    };
  }

  get state(): Pick<PlaygroundState, 'mode' | 'prompt' | 'sampling'> {
    const typed = [...this.#numbers].map(([name, { value }]) => [name, value] as const);
    const sampling = { ...Object.fromEntries(typed), stop: this.#stops.value };
    return { mode: this.mode, prompt: this.prompt, sampling };
  }

  set canGenerate(can: boolean) {
    this.#generate.disabled = !can;
  }

  /** While texts are written, they can be stopped; another start replaces them. */
  set isBusy(busy: boolean) {
    this.#stop.disabled = !busy;
  }
}
