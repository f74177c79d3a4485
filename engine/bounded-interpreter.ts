import { Environment, Interpreter } from '@huggingface/jinja';

type Node = Parameters<Interpreter['evaluate']>[0];
type Value = ReturnType<Interpreter['evaluate']>;

/** Characters of any text that a template makes: four million tokens, more than any model reads. */
export const MAX_TEXT = 2 ** 24;

/** Items of any list that a template makes. */
export const MAX_LIST = 2 ** 20;

/**
 * What all calls, filters and sums of lists of one rendering may make together, in units of eight
 * bytes: 128 MiB. What is joined with `~` costs nothing before it is used.
 */
const MAX_MADE = 2 ** 24;

/** Units of one item that did not exist before; of a copied one it is one. */
const NEW_ITEM = 8;
const CHARACTERS_PER_UNIT = 4;

/** A template makes more than any conversation needs. */
export class TemplateTooLarge extends Error {}

/** Evaluates a template whose texts and lists stay of a size that a conversation can have. */
export class BoundedInterpreter extends Interpreter {
  #made = 0;

  /** @throws TemplateTooLarge when a value is larger than any conversation's, and as the library does. */
  override evaluate(node: Node, environment: Environment): Value {
    const result =
      this.#stripped(node, environment) ?? super.evaluate(withSelection(node), environment);
    const value: unknown = result.value;
    if (typeof value === 'string') this.#countText(value.length, node?.type);
    else if (Array.isArray(value)) this.#countList(value.length, node?.type);
    return result;
  }

  /**
   * Python's `strip`, `lstrip` and `rstrip` with the characters to take off, which the library takes for
   * all white space: templates take off line breaks around reasoning, and leave the spaces of code.
   */
  #stripped(node: Node, environment: Environment): Value | undefined {
    const call = stripCall(node);
    if (call === undefined) return undefined;
    const [text, characters] = [call.object, call.characters].map(
      (each) => this.evaluate(each, environment).value as unknown,
    );
    if (typeof text !== 'string' || typeof characters !== 'string') return undefined;
    const set = new Set(characters);
    const letters = [...text];
    const isKept = (letter: string): boolean => !set.has(letter);
    const start = call.name === 'rstrip' ? 0 : letters.findIndex(isKept);
    const end = call.name === 'lstrip' ? letters.length : letters.findLastIndex(isKept) + 1;
    const value = start === -1 ? '' : letters.slice(start, end).join('');
    return super.evaluate({ type: 'StringLiteral', value } as Node, environment);
  }

  #countText(length: number, type: string | undefined): void {
    if (length > MAX_TEXT) throw new TemplateTooLarge(`a text of more than ${MAX_TEXT} characters`);
    if (isMaker(type)) this.#count(length / CHARACTERS_PER_UNIT);
  }

  #countList(length: number, type: string | undefined): void {
    if (length > MAX_LIST) throw new TemplateTooLarge(`a list of more than ${MAX_LIST} items`);
    if (isMaker(type)) this.#count(length * NEW_ITEM);
    else if (type === 'BinaryExpression') this.#count(length);
  }

  #count(units: number): void {
    this.#made += units;
    if (this.#made > MAX_MADE) throw new TemplateTooLarge('more texts and lists than memory holds');
  }
}

const STRIPPERS: ReadonlySet<unknown> = new Set(['strip', 'lstrip', 'rstrip']);

/** What a node of a call is made of: `object.property(...args)`. */
interface CallNode {
  readonly type: string;
  readonly args?: readonly Node[];
  readonly callee?: {
    readonly object?: Node;
    readonly property?: { readonly value?: unknown };
    readonly computed?: boolean;
  };
}

/** The parts of `text.strip(characters)`; undefined for all other nodes. */
function stripCall(node: Node) {
  if (node?.type !== 'CallExpression') return undefined;
  const { args = [], callee } = node as CallNode;
  const name = callee?.property?.value;
  if (args.length !== 1 || callee?.computed !== false || !STRIPPERS.has(name)) return undefined;
  return { name, object: callee.object, characters: args[0] };
}

/** What a node of `items | selectattr(name, test)` is made of. */
interface FilterNode {
  readonly type: string;
  readonly filter?: {
    readonly callee?: { readonly value?: unknown };
    readonly args?: readonly { readonly value?: unknown }[];
  };
}

const OPPOSITES: ReadonlyMap<unknown, string> = new Map([
  ['selectattr', 'rejectattr'],
  ['rejectattr', 'selectattr'],
]);

/**
 * The library asks no test of what is not there, so that nothing is ever "undefined" for it: who selects
 * by that, rejects by "defined".
 */
function withSelection(node: Node): Node {
  if (node?.type !== 'FilterExpression') return node;
  const { filter } = node as FilterNode;
  const opposite = OPPOSITES.get(filter?.callee?.value);
  const [name, test] = filter?.args ?? [];
  if (opposite === undefined || test?.value !== 'undefined') return node;
  const callee = { ...filter!.callee, value: opposite };
  return {
    ...node,
    filter: { ...filter, callee, args: [name, { ...test, value: 'defined' }] },
  } as Node;
}

/** Whether a node of the template makes its value, rather than naming or joining others. */
function isMaker(type: string | undefined): boolean {
  return type === 'CallExpression' || type === 'FilterExpression' || type === 'FilterStatement';
}

/** The names that every template knows, as the library's own `Template` sets them. */
export function templateGlobals(strftimeNow: (format: string) => string): Environment {
  const environment = new Environment();
  const globals = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception: (message: string) => {
      throw new Error(message);
    },
    range,
    strftime_now: strftimeNow,
  };
  for (const [name, value] of Object.entries(globals)) environment.set(name, value);
  return environment;
}

/** Python's `range`. The library's would fill a list without an end before anybody could look. */
function range(...bounds: readonly number[]): number[] {
  const [start, stop] = bounds.length > 1 ? bounds : [0, bounds[0]];
  const step = bounds[2] ?? 1;
  if (step === 0) throw new Error('range() step must not be zero');
  const numbers: number[] = [];
  for (let next = start!; step > 0 ? next < stop! : next > stop!; next += step) {
    if (numbers.length === MAX_LIST) {
      throw new TemplateTooLarge(`a range of more than ${MAX_LIST} numbers`);
    }
    numbers.push(next);
  }
  return numbers;
}
