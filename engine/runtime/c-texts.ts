import koffi from 'koffi';

/** A list of texts as C has it: an array of addresses of texts that end with 0. */
export interface CTexts {
  readonly addresses: BigUint64Array;
  /** To be kept as long as the addresses are used. */
  readonly bytes: ArrayBuffer;
}

/** Puts texts where native code can read them: an array buffer of their own, which never moves. */
export function cTexts(texts: readonly string[]): CTexts {
  const encoded = texts.map((text) => Buffer.from(`${text}\0`));
  const bytes = new ArrayBuffer(encoded.reduce((sum, { length }) => sum + length, 0));
  const start = koffi.address(bytes);
  let position = 0;
  const addresses = encoded.map((text) => {
    new Uint8Array(bytes).set(text, position);
    const address = start + BigInt(position);
    position += text.length;
    return address;
  });
  return { addresses: BigUint64Array.from(addresses), bytes };
}
