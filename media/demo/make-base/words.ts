import type { Random } from '../../../engine/random.ts';

/** Proper names in two lists without a common member. The base model has met all of them. */
export interface ProperNames {
  /** Those in the rows that are trained on. */
  readonly training: readonly string[];
  /** Those in the rows that are tested on, and in no other. */
  readonly heldOut: readonly string[];
}

/** Given names. */
export const PEOPLE: ProperNames = {
  training: words(`
    Adam Adele Alan Albert Amelia Andrea Anton Astrid Bea Ben Boris Camille Carl Caroline Charles
    Chloe Claude Cora Daniel Diana Edgar Edith Elena Elise Ella Emma Erna Esther Felix Flora Frank
    George Gloria Greta Hanna Harriet Hector Henry Hugo Ida Ingrid Isaac Isabel Ivy Jacob James
    Jasmin Joan John Joseph Julia Karen Kevin Laura Leonard Linda Lisa Louis Lucy Ludwig Marcel
    Maria Mark Martin Maurice Max Michael Mona Morris Nathan Nina Noah Norman Oliver Oscar Pamela
    Paul Paula Philip Rachel Ralph Richard Robert Roland Rudolf Sally Samuel Sara Selma Simon
    Stella Thea Theo Tina Vera Victor Viola Wanda Werner Yvonne`),
  heldOut: words(`
    Anna Bert Bella Daphne Dennis Elsa Fabian Frida Gabriel Herman Iris Jules Kira Lena Linus
    Manuel Marion Milo Niels Odette Olivia Petra Quentin Ramona Roman Sabine Silvia Tobias Valerie
    Veronica`),
};

/** Towns and cities. */
export const CITIES: ProperNames = {
  training: words(`
    Aachen Aberdeen Amsterdam Athens Austin Barcelona Basel Berlin Bologna Bordeaux Bremen Bristol
    Calgary Cardiff Cologne Dakar Danzig Delft Detroit Dresden Dundee Essen Exeter Frankfurt Ghent
    Gothenburg Graz Hamburg Havana Houston Jakarta Kassel Kyoto Lagos Leiden Lille London Lund
    Madrid Manchester Marseille Memphis Montreal Murcia Nagoya Naples Norwich Orleans Ottawa
    Oxford Perth Plymouth Potsdam Quebec Ravenna Rome Rotterdam Santiago Seville Sofia Stockholm
    Sydney Tokyo Trieste Turin Ulm Utrecht Venice Vienna Weimar`),
  heldOut: words(`
    Aarhus Arles Augsburg Bamberg Bern Cadiz Chester Coventry Erfurt Genoa Halifax Kingston Lyon
    Maastricht Mainz Modena Oslo Oulu Paris Riga Tallinn Tampa Toronto Toulouse`),
};

/** What people do; "a" goes with each. */
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

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
