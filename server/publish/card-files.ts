import { existsSync } from 'node:fs';
import path from 'node:path';
import { readBoundedFile } from '../../engine/bounded-file.ts';
import { CARD_FILE, CURVE_FILE } from '../../engine/lora/adapter.ts';
import { type CardFacts, readCardFacts } from './card-facts.ts';
import { lossCurve } from './loss-curve.ts';
import { isUnchangedCard, modelCard, movedCard } from './model-card.ts';

/** A file that is made for those who find an adapter. */
export interface CardFile {
  readonly name: string;
  readonly content: Buffer;
}

/** The card of an adapter with its picture, and what to say of it. */
export interface Card {
  readonly facts: CardFacts;
  /** None where the folder has a card that somebody wrote or changed, which is taken as it is. */
  readonly files: readonly CardFile[];
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/** A card or a picture of ours is smaller. */
const MAX_BYTES = 2 ** 18;

/**
 * Makes the card of an adapter, unless its folder has one that somebody wrote or changed. One that was made for
 * another place, and whose run is not known here, is put in this one, with its picture.
 *
 * @param repository `owner/name` that it will be in; undefined for a folder
 * @throws as `readCardFacts`
 */
export async function makeCard(folder: string, repository?: string): Promise<Card> {
  const facts = await readCardFacts(folder);
  const files = await cardFiles(folder, facts, repository);
  if (files !== undefined) return { facts, files, notes: [] };
  const note = `${CARD_FILE} is the one in ${folder}, as it is; no card was written.`;
  return { facts, files: [], notes: [note] };
}

/** @returns undefined where the card of the folder is not ours to write */
async function cardFiles(
  folder: string,
  facts: CardFacts,
  repository: string | undefined,
): Promise<readonly CardFile[] | undefined> {
  const there = await smallFile(folder, CARD_FILE);
  const isOurs = there !== undefined && isUnchangedCard(String(there));
  if (!isOurs && existsSync(path.join(folder, CARD_FILE))) return undefined;
  const isMoved = isOurs && facts.run === null;
  const curve = isMoved ? await smallFile(folder, CURVE_FILE) : drawnCurve(facts);
  const place = { repository, hasCurve: curve !== undefined };
  const card = isMoved ? movedCard(String(there), facts, place) : modelCard(facts, place);
  if (card === undefined) return undefined;
  return [
    { name: CARD_FILE, content: Buffer.from(card) },
    ...(curve === undefined ? [] : [{ name: CURVE_FILE, content: curve }]),
  ];
}

function drawnCurve({ run }: CardFacts): Buffer | undefined {
  const curve = run === null ? undefined : lossCurve(run.rows, run.step);
  return curve === undefined ? undefined : Buffer.from(curve);
}

function smallFile(folder: string, name: string): Promise<Buffer | undefined> {
  return readBoundedFile(path.join(folder, name), MAX_BYTES).catch(() => undefined);
}
