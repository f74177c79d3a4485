import { existsSync } from 'node:fs';
import path from 'node:path';
import { type CardFacts, readCardFacts } from './card-facts.ts';
import { lossCurve } from './loss-curve.ts';
import { CARD_FILE, CURVE_FILE, modelCard } from './model-card.ts';

/** A file that is made for those who find an adapter. */
export interface CardFile {
  readonly name: string;
  readonly content: Buffer;
}

/** The card of an adapter with its picture, and what to say of it. */
export interface Card {
  readonly facts: CardFacts;
  /** None where the folder has a card of its own, which is taken as it is. */
  readonly files: readonly CardFile[];
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/**
 * Makes the card of an adapter, where its folder has none.
 *
 * @param repository `owner/name` that it will be in; undefined for a folder
 * @throws as `readCardFacts`
 */
export async function makeCard(folder: string, repository?: string): Promise<Card> {
  const facts = await readCardFacts(folder);
  if (existsSync(path.join(folder, CARD_FILE))) {
    const note = `${CARD_FILE} is the one in ${folder}, as it is; no card was written.`;
    return { facts, files: [], notes: [note] };
  }
  const curve = facts.run === null ? undefined : lossCurve(facts.run.rows, facts.run.step);
  const card = modelCard(facts, { repository, hasCurve: curve !== undefined });
  const files = [
    { name: CARD_FILE, content: Buffer.from(card) },
    ...(curve === undefined ? [] : [{ name: CURVE_FILE, content: Buffer.from(curve) }]),
  ];
  return { facts, files, notes: [] };
}
