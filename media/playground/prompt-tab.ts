import type { FolderMove } from '../../extension/folder-move.ts';
import type {
  AnswerState,
  HistoryEntry,
  Question,
  Side,
} from '../../extension/playground/playground-messages.ts';
import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { element, showText } from '../webview/element.ts';
import { fill } from '../webview/texts.ts';
import { AnswerView } from './answer-view.ts';
import { askedPrompt, type Examples, isSameQuestion } from './examples.ts';
import type { PlaygroundParts } from './parts.ts';
import { PromptForm } from './prompt-form.ts';
import { showVerbatim } from './verbatim.ts';

/** One prompt, what is expected of it, and what both answer, side by side. */
export class PromptTab {
  readonly root: HTMLElement;
  readonly #texts: PlaygroundTexts;
  readonly #parts: PlaygroundParts;
  readonly #examples: Examples;
  readonly #form: PromptForm;
  readonly #sides: Readonly<
    Record<Side, { readonly view: AnswerView; readonly root: HTMLElement }>
  >;
  /** Says that the answers are to something else than what stands above them. */
  readonly #stale = element('p', { class: 'stale quiet', attributes: { role: 'status' } });
  /** What the answers are to. */
  #answered: Question;
  readonly #expected: HTMLElement;
  readonly #expectedText = element('pre', { attributes: { tabindex: 0, role: 'group' } });

  constructor(
    texts: PlaygroundTexts,
    parts: PlaygroundParts,
    examples: Examples,
    saved: {
      readonly question?: Question;
      readonly answered?: Question;
      readonly outputs?: Readonly<Partial<Record<Side, AnswerState>>>;
    },
  ) {
    this.#texts = texts;
    this.#parts = parts;
    this.#examples = examples;
    this.#form = new PromptForm(texts, saved.question, {
      onChange: () => this.#change(),
      onGenerate: () => void this.#generate(),
      onStop: () => parts.writing.stop(),
      onNextExample: () => this.showExample(),
    });
    this.#answered = saved.answered ?? this.question;
    const side = (name: Side) => {
      const view = new AnswerView(texts, '', saved.outputs?.[name], parts.onShowLogs);
      return { view, root: element('section', {}, [element('h2'), view.root]) };
    };
    this.#sides = { beside: side('beside'), adapter: side('adapter') };
    this.#expectedText.setAttribute('aria-label', texts.expected);
    this.#expected = element('section', { attributes: { 'aria-label': texts.expected } }, [
      element('h2', { text: texts.expected }),
      this.#expectedText,
    ]);
    this.root = element('div', { class: 'view' }, [
      this.#form.root,
      this.#stale,
      element('div', { class: 'outputs' }, [
        this.#sides.beside.root,
        this.#sides.adapter.root,
        this.#expected,
      ]),
    ]);
    this.update();
  }

  get question(): Question {
    return this.#form.question;
  }

  /** What the {@link outputs} are answers to. */
  get answered(): Question {
    return this.#answered;
  }

  get outputs(): Readonly<Record<Side, AnswerState>> {
    return { beside: this.#sides.beside.view.state, adapter: this.#sides.adapter.view.state };
  }

  /** Shows a question, with what those who are picked have answered to it, if they have: the last one is the adapter. */
  show(question: Question, answers: HistoryEntry['answers'] = []): void {
    this.#form.question = question;
    this.#answered = question;
    for (const side of ['beside', 'adapter'] as const) {
      const writer = this.#parts.writers().find((each) => each.side === side);
      const given =
        side === 'adapter' && writer !== undefined
          ? answers.at(-1)
          : answers.find((answer) => answer.writer === writer?.name);
      this.#sides[side].view.state = {
        text: given?.text ?? '',
        status: given === undefined ? this.#texts.idle : this.#texts.fromHistory,
        by: writer?.id,
      };
    }
    this.update();
  }

  /** Puts the next example where the prompt is. */
  showExample(): void {
    const question = this.#examples.next();
    if (question === undefined) return;
    this.#parts.writing.drop();
    const { training, position, count } = this.#examples;
    const origin = {
      'held-out': this.#texts.held_out,
      training: this.#texts.training,
      'sample-prompts': this.#texts.sample_prompts,
    }[training!.origin];
    this.show(question);
    this.#form.showExample(question, fill(origin, position, count));
    this.#parts.keep();
  }

  /** Begins with an example where nobody has typed anything, and the adapter has answered nothing. */
  offerExample(): void {
    this.#form.hasExamples = this.#examples.count > 0;
    this.#form.ending = this.#examples.ending;
    const { root, view } = this.#sides.adapter;
    const isAnswered = !root.hidden && view.state.text !== '';
    if (this.#form.isUntouched && !this.#parts.writing.isBusy && !isAnswered) this.showExample();
  }

  /** Shows who writes, and what is expected. */
  update(): void {
    const writers = this.#parts.writers();
    for (const name of ['beside', 'adapter'] as const) {
      const writer = writers.find(({ side }) => side === name);
      const { root, view } = this.#sides[name];
      root.hidden = writer === undefined;
      if (writer === undefined) continue;
      view.showOnlyOf(writer.id);
      showText(root.firstElementChild!, writer.title);
      root.setAttribute('aria-label', writer.title);
    }
    const { expected } = this.#form.question;
    this.#expected.hidden = expected === null;
    showVerbatim(this.#expectedText, expected ?? '');
    this.#form.isBusy = this.#parts.writing.isBusy;
    this.#showStale();
  }

  /** An adapter has another name. */
  follow(move: FolderMove): void {
    for (const { view } of Object.values(this.#sides)) view.follow(move);
  }

  /** Lets the user type. */
  focus(): void {
    this.#form.focus();
  }

  setReady(problem: string | undefined): void {
    this.#form.setReady(problem);
  }

  /** What went wrong with another question is gone, and what was answered to it is said to be. */
  #showStale(): void {
    const isStale = !isSameQuestion(this.question, this.#answered);
    const sides = Object.values(this.#sides);
    if (isStale) for (const { view } of sides) view.dropFailure();
    const hasAnswers = sides.some(({ root, view }) => !root.hidden && !view.isIdle);
    showText(this.#stale, isStale && hasAnswers ? this.#texts.answersToAnother : '');
  }

  #change(): void {
    this.update();
    this.#parts.keepTyped();
  }

  async #generate(): Promise<void> {
    const sampling = this.#parts.sampling();
    if (sampling === undefined) return;
    const { question } = this;
    this.#answered = question;
    const writers = this.#parts.writers();
    const subject = this.#parts.subject();
    const isDone = await this.#parts.write(
      askedPrompt(question),
      writers.map(({ side, id, writer }) => ({ writer, by: id, view: this.#sides[side].view })),
    );
    if (!isDone) return;
    this.#parts.remember(subject, {
      question,
      sampling,
      answers: writers.map(({ side, name }) => ({
        writer: name,
        text: this.#sides[side].view.text,
      })),
    });
  }
}
