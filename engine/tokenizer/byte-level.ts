/**
 * The bytes behind a token of a byte-level vocabulary, or undefined when the token has characters
 * outside that alphabet. GPT-2's alphabet writes every byte as one printable character: printable
 * Latin-1 stands for itself, the other bytes are U+0100 and up in byte order.
 */
export function byteLevelBytes(token: string): Uint8Array | undefined {
  const bytes = [...token].map((character) => BYTE_OF_CHARACTER.get(character));
  return bytes.every((byte) => byte !== undefined) ? Uint8Array.from(bytes) : undefined;
}

/**
 * The bytes that a byte-level vocabulary cannot write, of those that occur in UTF-8 (0xC0, 0xC1
 * and all from 0xF5 never do, and trained vocabularies leave them out).
 *
 * @param has whether a token is in the vocabulary.
 */
export function missingBytes(has: (token: string) => boolean): ReadonlySet<number> {
  const occurs = (byte: number): boolean => byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1;
  const missing = [...BYTE_OF_CHARACTER].filter(([token, byte]) => occurs(byte) && !has(token));
  return new Set(missing.map(([, byte]) => byte));
}

/** GPT-2's alphabet: the character that stands for each byte. */
export const BYTE_LEVEL_ALPHABET: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrintable(byte) ? byte : 0x100 + others++),
  );
})();

const BYTE_OF_CHARACTER: ReadonlyMap<string, number> = new Map(
  BYTE_LEVEL_ALPHABET.map((character, byte) => [character, byte]),
);
