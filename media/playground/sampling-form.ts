import type { PlaygroundState } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import {
  formatStops,
  parseStops,
  SAMPLING_FIELDS,
  type Sampling,
  type SamplingField,
} from '../../extension/playground/sampling.ts';
import { element } from '../webview/element.ts';
import { labelled } from './labelled.ts';

/** How tokens are drawn. */
export class SamplingForm {
  readonly root: HTMLFormElement;
  readonly #numbers: ReadonlyMap<SamplingField['name'], HTMLInputElement>;
  readonly #stops: HTMLTextAreaElement;
  readonly #details: HTMLDetailsElement;

  constructor(texts: PlaygroundTexts, saved: PlaygroundState | undefined, onChange: () => void) {
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
    this.#details = element('details', {}, [
      element('summary', { text: texts.sampling }),
      element('div', { class: 'sampling' }, [
        ...[...this.#numbers].map(([name, input]) => labelled(texts[name], input)),
        labelled(texts.stopTexts, this.#stops),
      ]),
    ]);
    this.root = element(
      'form',
      { on: { input: onChange, submit: (event) => event.preventDefault() } },
      [this.#details],
    );
  }

  /** What is typed; undefined, and said at the field, where a number is out of its range. */
  read(): Sampling | undefined {
    if (!this.root.checkValidity()) {
      this.#details.open = true;
      this.root.reportValidity();
      return undefined;
    }
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

  /** Puts in the fields what something was drawn with. */
  show(sampling: Sampling): void {
    for (const [name, input] of this.#numbers) input.value = String(sampling[name]);
    this.#stops.value = formatStops(sampling.stop);
  }

  get state(): PlaygroundState['sampling'] {
    const typed = [...this.#numbers].map(([name, { value }]) => [name, value] as const);
    return { ...Object.fromEntries(typed), stop: this.#stops.value };
  }
}
