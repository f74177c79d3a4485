import type { Random } from '../../../engine/random.ts';

/** Two vocabularies of proper names without a common member: one to learn from, one to be tested on. */
export interface ProperNames {
  readonly known: readonly string[];
  /** In no text that the base model or the adapter is trained on. */
  readonly heldOut: readonly string[];
}

/** Given names. */
export const PEOPLE: ProperNames = {
  known: words(`
    Adam Adele Agnes Alan Albert Alice Amelia Amy Andrea Anton Arthur Astrid Barbara Bea Ben Bernard
    Boris Bruno Camille Carl Carmen Caroline Cecilia Charles Chloe Clara Claude Conrad Cora Daniel
    David Diana Dora Edgar Edith Edward Elena Elias Elise Ella Emil Emma Eric Erna Esther Eva Felix
    Fiona Flora Frank Frederic George Gerda Gloria Greta Gustav Hanna Harold Harriet Hector Helen
    Henry Hilda Hugo Ida Ines Ingrid Irene Isaac Isabel Ivan Ivy Jack Jacob James Jane Jasmin Jerome
    Joan John Jonas Joseph Judith Julia Karen Katrin Kevin Laura Leo Leonard Lily Linda Lisa Lois
    Louis Lucas Lucy Ludwig Magda Marcel Margaret Maria Mark Martha Martin Matilda Maurice Max Maya
    Michael Mila Mona Morris Nadia Nathan Nelly Nina Noah Nora Norman Olga Oliver Oscar Otto Pamela
    Patrick Paul Paula Peter Philip Pia Rachel Ralph Rebecca Richard Rita Robert Roland Rosa Rudolf
    Ruth Sally Samuel Sandra Sara Sebastian Selma Simon Sofia Stella Susan Thea Theo Thomas Tina
    Ursula Vera Victor Vincent Viola Walter Wanda Werner William Yvonne Zora`),
  heldOut: words(`
    Anna Bert Bella Casper Daphne Dennis Elsa Erwin Fabian Frida Gabriel Hazel Herman Iris Jules
    Karl Kira Lena Linus Luisa Manuel Marion Milo Monica Niels Odette Olivia Pablo Petra Quentin
    Ramona Regina Roman Sabine Silvia Tom Tobias Valerie Veronica Wilma`),
};

/** Towns and cities. */
export const CITIES: ProperNames = {
  known: words(`
    Aachen Aberdeen Adelaide Amsterdam Antwerp Athens Atlanta Austin Baltimore Barcelona Basel Bergen
    Berlin Bilbao Bologna Bombay Bordeaux Boston Bremen Bristol Brussels Calgary Cambridge Cardiff
    Chicago Cologne Cork Dakar Dallas Danzig Delft Denver Detroit Dover Dresden Dublin Dundee Durban
    Essen Exeter Florence Frankfurt Geneva Ghent Glasgow Gothenburg Granada Graz Hamburg Hanover
    Havana Helsinki Houston Istanbul Jakarta Jena Kassel Kiel Kyoto Lagos Leeds Leiden Leipzig Lille
    Linz London Lucerne Lund Madrid Malaga Manchester Mannheim Marseille Melbourne Memphis Milan
    Montreal Munich Murcia Nagoya Nantes Naples Nice Norwich Odense Orleans Osaka Ottawa Oxford
    Palermo Perth Pisa Plymouth Porto Potsdam Prague Quebec Ravenna Reims Rome Rostock Rotterdam
    Salerno Santiago Seattle Seville Siena Sofia Stockholm Stuttgart Sydney Tampere Tokyo Toledo
    Trieste Tunis Turin Ulm Uppsala Utrecht Valencia Venice Verona Vienna Warsaw Weimar Zagreb`),
  heldOut: words(`
    Aarhus Arles Augsburg Bamberg Belfast Bern Cadiz Chester Coventry Delhi Erfurt Genoa Halifax
    Kingston Lisbon Lyon Maastricht Mainz Modena Nairobi Oslo Oulu Paris Riga Salzburg Tallinn Tampa
    Toronto Toulouse Vilnius`),
};

/** Words that the indefinite article "a" goes with. */
export const JOBS: readonly string[] = words(`
  baker banker barber butcher carpenter chemist cleaner clerk cook dancer dentist doctor driver farmer
  fisher gardener guard guide hunter joiner judge lawyer mason mechanic miller miner nurse painter
  pilot plumber poet porter postman potter printer sailor singer tailor teacher trader waiter weaver`);

/** What people buy; "a" goes with each. */
export const ITEMS: readonly string[] = words(`
  bag ball basket bell bench bike blanket boat book bottle bowl box brush camera candle carpet chair
  clock coat cup desk doll door drum fan flute glass hammer hat jacket kettle knife ladder lamp lock
  map mirror mug pan pen phone piano pillow plate pot radio ring rope saddle scarf shirt sofa spoon
  stove suitcase table tent towel toy trumpet vase violin watch wheel`);

/** Days of the week. */
export const DAYS: readonly string[] = words(
  'Monday Tuesday Wednesday Thursday Friday Saturday Sunday',
);

/** Colours, for lists and sets. */
export const COLOURS: readonly string[] = words(
  'red blue green yellow black white brown grey pink purple',
);

/** One of a list, each equally likely. */
export function pick<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)]!;
}

/**
 * A name that nobody has, such as "Tolvira" or "Kresh". Thousands of them teach a small model to
 * copy what it reads letter by letter instead of learning a list by heart.
 */
export function inventName(random: Random): string {
  const syllables = 1 + random.below(3);
  let name = '';
  for (let i = 0; i < syllables; i++) {
    name += pick(ONSETS, random) + pick(VOWELS, random);
    if (i === syllables - 1 || random.below(3) === 0) name += pick(CODAS, random);
  }
  return name[0]!.toUpperCase() + name.slice(1);
}

const ONSETS = words(
  'b c d f g h j k l m n p q r s t v w x y z bl br ch cl cr dr fl fr gl gr kr pl pr qu sc sh sl sp st th tr vl',
);
const VOWELS = words('a e i o u a e i o u ai au ea ee ei ia ie io ou ue y');
const CODAS = words(
  'a d e g k l m n o p r s t x y z ck ch dt gh ld ll lm ln mb na nd ne ng nn nt ra rd rg rk rn rs rt s sh ss st th ton vik',
);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
