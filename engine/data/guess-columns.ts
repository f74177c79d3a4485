/** What is learned from a row, by the keys of section `data` that name its columns. */
export type ColumnMapping =
  | { readonly kind: 'text'; readonly text_column: string }
  | {
      readonly kind: 'prompt_completion';
      readonly prompt_column: string;
      readonly completion_column: string;
    }
  | { readonly kind: 'messages'; readonly messages_column: string };

/** The values of one row. */
type Values = Readonly<Record<string, unknown>>;

/** Words in the names of columns that say what a model is given; the more telling come first. */
const PROMPT_WORDS = words(
  'prompt question query instruction input request ask user human customer client ticket inquiry',
  'enquiry message email mail problem issue complaint source src sentence article document passage',
  'context review comment post text body content subject title description utterance chat',
  'frage anfrage eingabe aufgabe pregunta consulta entrada demande entree domanda richiesta vraag',
);

/** Words in the names of columns that say what a model is to write. */
const COMPLETION_WORDS = words(
  'completion answer response reply output target tgt solution resolution result expected chosen',
  'summary translation label class category intent sentiment topic tag assistant agent bot gpt',
  'model correction corrected rewrite highlights json sql code',
  'antwort ausgabe losung zusammenfassung respuesta salida reponse sortie risposta antwoord uitvoer',
);

/** Words in the names of columns that nobody learns from. */
const OTHER_WORDS = words(
  'id ids uuid guid key idx index no nr number row date time timestamp created updated modified',
  'at by url uri link href lang language locale split fold hash version file path author name',
);

/** Words that say nothing beside others. */
const EMPTY_WORDS = words('text content body value field column');

/** What is known of a column from some of its values. */
interface Column {
  readonly name: string;
  /** Characters of a value on average. */
  readonly length: number;
  readonly prompt: number;
  readonly completion: number;
  readonly isOther: boolean;
}

/**
 * What is probably to be learned from rows whose columns have names of their own: by what columns
 * are called, in some languages, then by what is in them, then by their order, since a question is
 * mostly written before its answer.
 *
 * @param rows the first rows of a file
 * @returns undefined where no column holds text
 */
export function guessMapping(rows: readonly Values[]): ColumnMapping | undefined {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const valuesOf = (name: string): readonly unknown[] =>
    rows.map((row) => row[name]).filter((value) => value !== undefined && value !== null);
  const messages = names.find((name) => isConversation(valuesOf(name)));
  if (messages !== undefined) return { kind: 'messages', messages_column: messages };
  const columns = names.flatMap((name) => textColumn(name, valuesOf(name)) ?? []);
  const telling = columns.filter(({ isOther }) => !isOther);
  const usable = telling.length > 0 ? telling : columns;
  if (usable.length < 2) return usable[0] && { kind: 'text', text_column: usable[0].name };
  const named = best(usable, ({ completion, prompt }) => completion - prompt);
  const prompt =
    best(
      usable.filter((column) => column !== named),
      ({ prompt, completion }) => prompt - completion,
    ) ?? longest(usable.filter((column) => column !== named));
  const completion = named ?? longestBehind(usable, prompt);
  return {
    kind: 'prompt_completion',
    prompt_column: prompt.name,
    completion_column: completion.name,
  };
}

/** Turns as OpenAI or ShareGPT write them. */
function isConversation(values: readonly unknown[]): boolean {
  const isTurn = (turn: unknown): boolean =>
    typeof turn === 'object' && turn !== null && ('role' in turn || 'from' in turn);
  return values.length > 0 && values.every((value) => Array.isArray(value) && isTurn(value[0]));
}

/** Undefined for columns of lists, objects and nothing, and for numbers whose name says nothing. */
function textColumn(name: string, values: readonly unknown[]): Column | undefined {
  const isText = values.length > 0 && values.every((value) => typeof value !== 'object');
  if (!isText) return undefined;
  const parts = partsOf(name);
  const isNumeric = values.every((value) => !/\p{L}/u.test(String(value)));
  const column = {
    name,
    length: values.reduce<number>((sum, value) => sum + String(value).length, 0) / values.length,
    prompt: score(parts, PROMPT_WORDS),
    completion: score(parts, COMPLETION_WORDS),
    isOther: parts.some((part) => OTHER_WORDS.includes(part)),
  };
  return isNumeric && column.completion === 0 ? undefined : column;
}

/** The words of a name: `customerTicket`, `reply_text`. Marks on letters do not count. */
function partsOf(name: string): readonly string[] {
  return name
    .replaceAll(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part, _, all) => all.length === 1 || !EMPTY_WORDS.includes(part));
}

/** 0 to 1: the last word of a name says most, as in `question_answer`, and first words of the list. */
function score(parts: readonly string[], list: readonly string[]): number {
  const scores = parts.map((part, index) => {
    const found = list.findIndex((word) => part === word || part === `${word}s`);
    return found === -1
      ? 0
      : (1 - found / list.length / 2) * (index === parts.length - 1 ? 1 : 0.5);
  });
  return Math.max(...scores);
}

function best(columns: readonly Column[], scoreOf: (column: Column) => number): Column | undefined {
  const [first] = columns.toSorted((a, b) => scoreOf(b) - scoreOf(a));
  return first !== undefined && scoreOf(first) > 0 ? first : undefined;
}

function longest(columns: readonly Column[]): Column {
  // Between two that are about as long, the first is the question.
  return columns.reduce((a, b) => (b.length > 4 * a.length ? b : a));
}

/** The answer to a prompt: the longest column behind it, or else before it. */
function longestBehind(columns: readonly Column[], prompt: Column): Column {
  const behind = columns.slice(columns.indexOf(prompt) + 1);
  const others = behind.length > 0 ? behind : columns.filter((column) => column !== prompt);
  return longest(others);
}

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '));
}
