import { parse, tokenize } from '@huggingface/jinja';
import { BoundedInterpreter, TemplateTooLarge, templateGlobals } from '../bounded-interpreter.ts';
import { LorafaError, messageOf } from '../errors.ts';
import { secondsFor, TEXT_SECONDS, type TimeLimit, withinTime } from '../time-limit.ts';

/** One turn of a conversation; further keys (`tool_calls`, `name`, …) are seen by the template. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string | null;
  readonly [key: string]: unknown;
}

/** A function that the model may call: JSON as in OpenAI's `tools`, seen by the template as it is. */
export type ChatTool = Readonly<Record<string, unknown>>;

/** How a conversation is rendered. */
export interface RenderOptions {
  /** End with the header that makes the model answer, as before generation. */
  readonly addGenerationPrompt: boolean;
  /** What the model may call; nothing unless given. */
  readonly tools?: readonly ChatTool[];
  /** What the template takes for today; default: now. Training gives one, so that a resumed run sees the same text. */
  readonly date?: Date;
}

/** A rendered conversation. */
export interface RenderedChat {
  readonly text: string;
  /** What stands in the template's own `{% generation %}` blocks, in the order of the text. */
  readonly generated: readonly GeneratedSpan[];
}

/** A part of a text, in UTF-16 units: from `start` up to, not including, `end`. */
export interface GeneratedSpan {
  readonly start: number;
  readonly end: number;
}

/** Characters of a template; the longest published ones have some 30,000. */
const MAX_TEMPLATE = 2 ** 20;

/** A tag of transformers that says what the model is to write itself; the library would drop it. */
const GENERATION_TAG = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;

/*
 * A tag is made into a call of a macro, as transformers does, so that white space, scopes and nesting
 * are those of a call. The macro puts its marks around what it is given: characters that Unicode
 * keeps out of texts. They are taken out of what is rendered.
 */
const [BEGIN, END] = ['\uFDD0', '\uFDD1'];
const MARK = /[\uFDD0\uFDD1]/;
const MARKING = parse(
  tokenize(`{% macro __generation__() %}${BEGIN}{{ caller() }}${END}{% endmacro %}`),
);

/** What the library writes where a template adds an object to a text, which Python refuses. */
const OBJECT_AS_TEXT = '[object Map]';

/**
 * A model's Jinja chat template, rendered in a sandbox (an interpreter without access to the
 * machine) with the variables that transformers' `apply_chat_template` offers.
 */
export class ChatTemplate {
  /** The template says itself what the model writes. */
  readonly marksGenerated: boolean;
  readonly #program: ReturnType<typeof parse>;
  readonly #specialTokens: Readonly<Record<string, string>>;
  readonly #source: string;
  readonly #seconds: number;

  /**
   * @param specialTokens the variables `bos_token`, `eos_token` and the like, as text.
   * @param source the file it came from, for errors.
   * @param seconds what the shortest conversation may take.
   * @throws LorafaError `data.chat_template` when the template is not valid Jinja.
   */
  constructor(
    text: string,
    specialTokens: Readonly<Record<string, string>>,
    source: string,
    seconds = TEXT_SECONDS,
  ) {
    try {
      if (text.length > MAX_TEMPLATE) {
        throw new Error(`${text.length} characters, where no template has ${MAX_TEMPLATE}`);
      }
      const calling = text.replace(GENERATION_TAG, (_, before, end, after) =>
        end === undefined
          ? `{%${before} call __generation__() ${after}%}`
          : `{%${before} endcall ${after}%}`,
      );
      this.marksGenerated = calling !== text;
      this.#program = parse(tokenize(calling, { lstrip_blocks: true, trim_blocks: true }));
    } catch (error) {
      throw new LorafaError(
        'data.chat_template',
        `The chat template of ${source} is not valid Jinja (${messageOf(error)}); correct it or take the model's original files.`,
        { location: { file: source }, cause: error },
      );
    }
    this.#specialTokens = specialTokens;
    this.#source = source;
    this.#seconds = seconds;
  }

  /**
   * The conversation as the text that the model reads.
   *
   * @throws LorafaError `data.chat_template` when the template refuses the conversation or makes
   * more of it than memory holds; TimeLimitError of that code when it does not come to an end.
   */
  render(messages: readonly ChatMessage[], options: RenderOptions): RenderedChat {
    return withinTime(this.limit(textLength(messages)), () => this.#render(messages, options));
  }

  /** How long a conversation of this many characters may take. */
  limit(characters: number): TimeLimit {
    return {
      seconds: secondsFor(characters, this.#seconds),
      code: 'data.chat_template',
      subject: `The chat template of ${this.#source}`,
      advice: "correct it or take the model's original files",
      file: this.#source,
    };
  }

  #render(messages: readonly ChatMessage[], options: RenderOptions): RenderedChat {
    const date = options.date ?? new Date();
    try {
      if (this.marksGenerated && MARK.test(JSON.stringify([messages, options.tools]))) {
        throw new Error('the turns hold U+FDD0 or U+FDD1, which are no characters');
      }
      const environment = templateGlobals((format) => formatDate(date, format));
      const variables = {
        ...this.#specialTokens,
        messages: messages.map(withoutNulls),
        add_generation_prompt: options.addGenerationPrompt,
        tools: options.tools?.length ? options.tools : null,
        documents: null,
      };
      for (const [name, value] of Object.entries(variables)) environment.set(name, value);
      const interpreter = new BoundedInterpreter(environment);
      if (this.marksGenerated) interpreter.run(MARKING);
      const text = String(interpreter.run(this.#program).value);
      if (text.includes(OBJECT_AS_TEXT) && !JSON.stringify(messages).includes(OBJECT_AS_TEXT)) {
        throw new Error('it adds an object, as the arguments of a call are, to a text');
      }
      return this.marksGenerated ? withoutMarks(text) : { text, generated: [] };
    } catch (error) {
      // A RangeError: a text longer than any can be, or a call within too many others.
      const isTooLarge = error instanceof TemplateTooLarge || error instanceof RangeError;
      const what = isTooLarge
        ? `makes more than any conversation needs (${error.message}); correct it or take the model's original files`
        : `refused a conversation (${messageOf(error)}); correct the turns or their order`;
      throw new LorafaError('data.chat_template', `The chat template of ${this.#source} ${what}.`, {
        location: { file: this.#source },
        cause: error,
      });
    }
  }
}

/** Transformers shows templates no key that holds nothing, `content` beside a call among them. */
function withoutNulls(message: ChatMessage): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null));
}

/** Takes the marks out of a text, and tells what stood between them; of nested ones the outer. */
function withoutMarks(marked: string): RenderedChat {
  const generated: GeneratedSpan[] = [];
  let text = '';
  let depth = 0;
  let start = 0;
  for (const piece of marked.split(/([\uFDD0\uFDD1])/)) {
    if (!MARK.test(piece)) {
      text += piece;
      continue;
    }
    if (piece === BEGIN && depth++ === 0) start = text.length;
    if (piece === END && --depth === 0 && text.length > start) {
      generated.push({ start, end: text.length });
    }
    if (depth < 0) throw new Error('its generation blocks end before they begin');
  }
  if (depth !== 0) throw new Error('its generation blocks do not end');
  return { text, generated };
}

/** Characters of a conversation, as far as they are plain text. */
export function textLength(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + (content?.length ?? 0), 0);
}

const MONTHS =
  'January February March April May June July August September October November December'.split(
    ' ',
  );
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

/** The directives of C's strftime that chat templates use, in local time; others stay as written. */
function formatDate(date: Date, format: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const month = MONTHS[date.getMonth()]!;
  const weekday = WEEKDAYS[date.getDay()]!;
  const directives: Readonly<Record<string, string>> = {
    '%Y': String(date.getFullYear()),
    '%m': two(date.getMonth() + 1),
    '%d': two(date.getDate()),
    '%B': month,
    '%b': month.slice(0, 3),
    '%A': weekday,
    '%a': weekday.slice(0, 3),
    '%H': two(date.getHours()),
    '%M': two(date.getMinutes()),
    '%S': two(date.getSeconds()),
    '%%': '%',
  };
  return format.replace(/%./g, (directive) => directives[directive] ?? directive);
}
