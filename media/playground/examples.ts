import type { Question, TrainingNews } from '../../extension/playground/playground-messages.ts';
import type { Generation } from '../../server/protocol/generation.ts';
import type { AdapterTraining } from '../../server/protocol/models.ts';
import { commonEnding } from './common-ending.ts';

/** Prompts of the kind that the picked adapter was trained on, one after the other. */
export class Examples {
  #training: AdapterTraining | null = null;
  #adapter = '';
  #next = 0;
  #ending: string | undefined;

  show({ adapter, training }: TrainingNews): void {
    if (adapter !== this.#adapter) this.#next = 0;
    this.#adapter = adapter;
    this.#training = training;
    const examples = training?.examples ?? [];
    this.#ending = commonEnding(examples.map(({ prompt }) => shownPrompt(prompt).prompt));
  }

  /** What all of them end in, which the adapter waits for; undefined where that is nothing in particular. */
  get ending(): string | undefined {
    return this.#ending;
  }

  get training(): AdapterTraining | null {
    return this.#training;
  }

  /** How many there are. */
  get count(): number {
    return this.#training?.examples.length ?? 0;
  }

  /** The number, from 1, of the one that {@link next} gave last. */
  get position(): number {
    return this.#next === 0 ? this.count : this.#next;
  }

  /** The next one, after the last one the first again; undefined without any. */
  next(): Question | undefined {
    const example = this.#training?.examples[this.#next];
    if (example === undefined) return undefined;
    this.#next = (this.#next + 1) % this.count;
    return { ...shownPrompt(example.prompt), expected: example.expected };
  }
}

/** A prompt as the page shows it. */
function shownPrompt(prompt: Generation['prompt']): Omit<Question, 'expected'> {
  if ('turn' in prompt) return { mode: 'chat', context: [], prompt: prompt.turn };
  if ('text' in prompt) return { mode: 'raw', context: [], prompt: prompt.text };
  const { messages } = prompt;
  return { mode: 'chat', context: messages.slice(0, -1), prompt: messages.at(-1)?.content ?? '' };
}

/** Whether the model is asked the same. */
export function isSameQuestion(one: Question, other: Question): boolean {
  return JSON.stringify(askedPrompt(one)) === JSON.stringify(askedPrompt(other));
}

/** A question as the model is asked it. */
export function askedPrompt({ mode, context, prompt }: Question): Generation['prompt'] {
  if (mode === 'raw') return { text: prompt };
  if (context.length === 0) return { turn: prompt };
  return { messages: [...context, { role: 'user', content: prompt }] };
}
