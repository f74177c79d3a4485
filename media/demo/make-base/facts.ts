import type { Random } from '../../../engine/random.ts';
import { CITIES, DAYS, ITEMS, JOBS, PEOPLE, pick } from './words.ts';

/** What is known about somebody, by field; numbers are numbers. */
export type Fields = Readonly<Record<string, string | number>>;

/** A kind of fact: how it is drawn, said and asked for. */
export interface FactKind {
  readonly name: 'resident' | 'worker' | 'purchase' | 'meeting';
  /** @param names where the names of people and cities come from */
  draw(random: Random, names: NameSource): Fields;
  /** Sentences with `{field}` in place of a value. */
  readonly sentences: readonly string[];
  /** Questions, each with its answer, in the same form. */
  readonly questions: readonly (readonly [question: string, answer: string])[];
}

/** Where a fact's names come from. */
export interface NameSource {
  person(random: Random): string;
  city(random: Random): string;
}

/** Names of the corpus: the base model meets all of them. */
export const CORPUS_NAMES: NameSource = {
  person: (random) => pick([...PEOPLE.training, ...PEOPLE.heldOut], random),
  city: (random) => pick([...CITIES.training, ...CITIES.heldOut], random),
};

/** Names of the training rows. */
export const TRAINING_NAMES: NameSource = {
  person: (random) => pick(PEOPLE.training, random),
  city: (random) => pick(CITIES.training, random),
};

/** Names of the rows that are tested on. */
export const HELD_OUT_NAMES: NameSource = {
  person: (random) => pick(PEOPLE.heldOut, random),
  city: (random) => pick(CITIES.heldOut, random),
};

/** Every kind of fact that the base model reads about. */
export const FACT_KINDS: readonly FactKind[] = [
  {
    name: 'resident',
    draw: (random, names) => ({
      name: names.person(random),
      age: 18 + random.below(82),
      city: names.city(random),
    }),
    sentences: [
      '{name} is {age} years old and lives in {city}.',
      '{name}, who lives in {city}, is {age} years old.',
      'In {city} lives {name}, who is {age} years old.',
      '{name} from {city} is {age} years old.',
      '{name} moved to {city} at the age of {age}.',
      'At the age of {age}, {name} still lives in {city}.',
    ],
    questions: [
      ['How old is {name}?', '{age}'],
      ['Where does {name} live?', '{city}'],
      ['Who lives in {city}?', '{name}'],
      ['Who is {age} years old?', '{name}'],
    ],
  },
  {
    name: 'worker',
    draw: (random, names) => ({
      name: names.person(random),
      job: pick(JOBS, random),
      city: names.city(random),
    }),
    sentences: [
      '{name} works as a {job} in {city}.',
      '{name} is a {job} from {city}.',
      'In {city}, {name} works as a {job}.',
      'The {job} {name} works in {city}.',
      'There is a {job} in {city} whose name is {name}.',
      '{name} left {city} to work as a {job}.',
    ],
    questions: [
      ['What is the job of {name}?', '{job}'],
      ['Which city does {name} know?', '{city}'],
      ['Who is the {job}?', '{name}'],
      ['What is the name of the {job}?', '{name}'],
    ],
  },
  {
    name: 'purchase',
    draw: (random, names) => ({
      name: names.person(random),
      item: pick(ITEMS, random),
      price: 10 + random.below(90),
    }),
    sentences: [
      '{name} bought a {item} for {price} euros.',
      '{name} paid {price} euros for a {item}.',
      'For {price} euros {name} got a {item}.',
      'A {item} was sold to {name} for {price} euros.',
      'The {item} of {name} cost {price} euros.',
      'The shop sold {name} a {item} at a price of {price} euros.',
    ],
    questions: [
      ['What did {name} buy?', '{item}'],
      ['How much did {name} pay?', '{price}'],
      ['Who bought the {item}?', '{name}'],
      ['What is the price of the {item}?', '{price}'],
    ],
  },
  {
    name: 'meeting',
    draw: (random, names) => ({
      name: names.person(random),
      friend: names.person(random),
      day: pick(DAYS, random),
      hour: 1 + random.below(12),
    }),
    sentences: [
      '{name} meets {friend} on {day} at {hour}.',
      'On {day} at {hour}, {name} will see {friend}.',
      '"See you on {day} at {hour}," said {name} to {friend}.',
      '{friend} asked {name}: "Can we meet on {day} at {hour}?"',
    ],
    questions: [
      ['Who meets {friend}?', '{name}'],
      ['Who meets {name}?', '{friend}'],
      ['On which day does {name} meet {friend}?', '{day}'],
      ['When does {friend} meet {name}?', 'on {day} at {hour}'],
    ],
  },
];

/** A template with the values of a fact in place of its fields. */
export function fill(template: string, fields: Fields): string {
  return template.replace(/\{(\w+)\}/g, (_, field: string) => String(fields[field]));
}
