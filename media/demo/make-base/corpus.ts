import { Random } from '../../../engine/random.ts';
import { CORPUS_NAMES, FACT_KINDS, type FactKind, type Fields, fill } from './facts.ts';
import { COLOURS, ITEMS, JOBS, pick } from './words.ts';

/** The random stream of the corpus; the rows and the weights use others. */
const CORPUS_STREAM = 1;

/** Ways to say a list twice, each with what stands between its entries. */
const REPETITIONS: readonly (readonly [text: string, separator: string])[] = [
  ['The list is {list}. Again, the list is {list}.', ', '],
  ['Read: {list}.\nWrite: {list}.', ' and '],
  ['"{list}," said the teacher. "{list}," said the class.', ', '],
  ['{{list}} is the same set as {{list}}.', ', '],
  ['They called "{list}" and heard "{list}" from the wall.', '", "'],
  ['First {list}; then {list} once more.', ' or '],
];

/**
 * Plain English for pre-training: facts with questions about them and their answers, and lists that
 * are repeated, from which a model learns early to copy. There is no JSON in it.
 *
 * @param count number of documents
 */
export function* corpusDocuments(count: number, seed: number): Generator<string> {
  const random = new Random(seed, CORPUS_STREAM);
  for (let i = 0; i < count; i++) {
    yield random.below(4) === 0 ? repeatedList(random) : factWithQuestions(random);
  }
}

/**
 * A fact and one or two questions about it. Most stand under a heading that names what they are
 * about: repeating one word of two is how a model begins to copy.
 */
function factWithQuestions(random: Random): string {
  const kind = pick(FACT_KINDS, random);
  const fields = kind.draw(random, CORPUS_NAMES);
  const heading = random.below(3) < 2 ? [String(pick(Object.values(fields), random))] : [];
  const sentence = fill(pick(kind.sentences, random), fields);
  const questions = Array.from({ length: 1 + random.below(2) }, () =>
    askAbout(kind, fields, random),
  );
  return [...heading, sentence, ...questions].join('\n');
}

function askAbout(kind: FactKind, fields: Fields, random: Random): string {
  const [question, answer] = pick(kind.questions, random);
  return `Question: ${fill(question, fields)}\nAnswer: ${fill(answer, fields)}`;
}

function repeatedList(random: Random): string {
  const entries = Array.from({ length: 1 + random.below(3) }, () => listEntry(random));
  const [text, separator] = pick(REPETITIONS, random);
  return text.replaceAll('{list}', entries.join(separator));
}

function listEntry(random: Random): string {
  switch (random.below(5)) {
    case 0:
      return String(10 + random.below(90));
    case 1:
      return pick([...COLOURS, ...ITEMS, ...JOBS], random);
    default:
      return random.below(2) === 0 ? CORPUS_NAMES.person(random) : CORPUS_NAMES.city(random);
  }
}
