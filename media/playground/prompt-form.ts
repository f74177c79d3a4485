import type { PromptMode, Question, Turn } from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { formatStops } from '../../extension/playground/sampling.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { action, allow } from './labelled.ts';
import { turnList } from './turn-list.ts';

/** What the form tells. */
export interface PromptFormEvents {
  onChange(): void;
  onGenerate(): void;
  onStop(): void;
  onNextExample(): void;
}

/** Characters of an ending that are shown. */
const SHOWN_ENDING = 60;

/** The prompt, how it is read, and the turns before it. */
export class PromptForm {
  readonly root: HTMLFormElement;
  readonly #texts: PlaygroundTexts;
  readonly #mode: HTMLSelectElement;
  readonly #prompt: HTMLTextAreaElement;
  readonly #context = element('div', { class: 'context' });
  readonly #generate: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #example: HTMLButtonElement;
  /** Where the prompt is from, or why nothing can be written. */
  readonly #note = element('span', { class: 'quiet', attributes: { role: 'status', id: 'note' } });
  readonly #onChange: () => void;
  #turns: readonly Turn[] = [];
  #expected: string | null = null;
  /** Whether the focus is here because the page has put it here, and nobody has typed since. */
  #isFocusGiven = false;
  /** The prompt as it was given, not typed, and whether it is an example. */
  #given: string | undefined;
  #isExample = false;
  /** Why nothing can be written, and where the prompt is from. */
  #problem: string | undefined;
  #origin = '';
  #ending: string | undefined;

  constructor(texts: PlaygroundTexts, saved: Question | undefined, events: PromptFormEvents) {
    this.#texts = texts;
    this.#onChange = events.onChange;
    this.#mode = element('select', {}, [
      element('option', { text: texts.chat, attributes: { value: 'chat' } }),
      element('option', { text: texts.raw, attributes: { value: 'raw' } }),
    ]);
    this.#prompt = element('textarea', {
      attributes: { rows: 5, required: true, placeholder: texts.promptHint, id: 'prompt' },
      on: {
        blur: () => {
          this.#isFocusGiven = false;
        },
        input: () => {
          this.#isFocusGiven = false;
        },
      },
    });
    this.#generate = element('button', {
      class: 'primary',
      text: texts.generate,
      attributes: { type: 'submit', title: texts.generateHint, 'aria-describedby': 'note' },
    });
    this.#stop = action(texts.stop, events.onStop);
    this.#example = action(texts.nextExample, events.onNextExample, {
      hint: texts.nextExampleHint,
    });
    this.#example.hidden = true;
    this.isBusy = false;
    this.root = element(
      'form',
      {
        on: {
          input: () => {
            this.#drawNote();
            events.onChange();
          },
          submit: (event) => {
            event.preventDefault();
            if (!this.#generate.disabled) events.onGenerate();
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
          element('label', { class: 'mode' }, [texts.mode, this.#mode]),
        ]),
        this.#context,
        this.#prompt,
        element('div', { class: 'toolbar' }, [
          this.#generate,
          this.#stop,
          this.#example,
          this.#note,
        ]),
      ],
    );
    if (saved !== undefined) this.question = saved;
    else this.#drawContext();
  }

  get question(): Question {
    const { value: prompt } = this.#prompt;
    const mode: PromptMode = this.#mode.value === 'raw' ? 'raw' : 'chat';
    // What is expected of one prompt is not expected of another.
    const expected = prompt === this.#given ? this.#expected : null;
    return { mode, context: this.#turns, prompt, expected };
  }

  set question({ mode, context, prompt, expected }: Question) {
    this.#mode.value = mode;
    this.#prompt.value = prompt;
    this.#turns = context;
    this.#expected = expected;
    this.#given = prompt;
    this.#isExample = false;
    this.#origin = '';
    this.#drawContext();
    this.#drawNote();
  }

  /** Shows an example, which the next one may replace as long as nobody has changed it. */
  showExample(question: Question, origin: string): void {
    this.question = question;
    this.#isExample = true;
    this.#origin = origin;
    this.#drawNote();
    // What is typed next takes its place.
    if (this.#isFocusGiven) this.#prompt.select();
  }

  /** Lets the user type, in the place of what stands there. */
  focus(): void {
    this.#prompt.focus();
    this.#prompt.select();
    this.#isFocusGiven = true;
  }

  /** Whether nobody has typed here or is about to: what stands here may be replaced. */
  get isUntouched(): boolean {
    const { value } = this.#prompt;
    if (document.activeElement === this.#prompt && !this.#isFocusGiven) return false;
    return value === '' || (this.#isExample && value === this.#given);
  }

  /** @param problem why nothing can be written; undefined where something can */
  setReady(problem: string | undefined): void {
    this.#problem = problem;
    this.#generate.disabled = problem !== undefined;
    this.#drawNote();
  }

  /** Where there are no examples, what stands here is none either. */
  set hasExamples(has: boolean) {
    this.#example.hidden = !has;
    if (!has) this.#origin = '';
    this.#drawNote();
  }

  /** What prompts end in that the adapter has learned from; undefined where that is nothing in particular. */
  set ending(ending: string | undefined) {
    this.#ending = ending;
    this.#drawNote();
  }

  /** While texts are written, they can be stopped; another start replaces them. */
  set isBusy(busy: boolean) {
    allow(this.#stop, busy ? undefined : this.#texts.nothingWritten);
  }

  #drawNote(): void {
    const { value } = this.#prompt;
    // What was typed over an example is from nowhere.
    const origin = value === this.#given ? this.#origin : '';
    showText(this.#note, this.#problem ?? (origin || this.#unlike(value)));
  }

  /** What a prompt lacks that the adapter has learned to answer; empty where it lacks nothing. */
  #unlike(prompt: string): string {
    const ending = this.#ending;
    if (ending === undefined || prompt === '' || prompt.endsWith(ending)) return '';
    return fill(this.#texts.learnedEnding, shownEnding(ending));
  }

  #drawContext(): void {
    const texts = this.#texts;
    this.#context.hidden = this.#turns.length === 0;
    const drop = action(texts.dropContext, () => {
      this.#turns = [];
      this.#given = undefined;
      this.#drawContext();
      this.#prompt.focus();
      this.#onChange();
    });
    this.#context.replaceChildren(
      element('div', { class: 'prompt-head' }, [element('h3', { text: texts.contextTurns }), drop]),
      turnList(texts, this.#turns),
    );
  }
}

/** The end of it, in one line: line breaks as in stop texts. */
function shownEnding(ending: string): string {
  const end = ending.length > SHOWN_ENDING ? `…${ending.slice(-SHOWN_ENDING)}` : ending;
  return formatStops([end]);
}
