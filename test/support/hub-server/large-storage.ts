import { createHash } from 'node:crypto';

/** The storage of Git LFS behind the stand-in, which takes what is what it was said to be. */
export class LargeStorage {
  readonly #objects = new Map<string, Buffer>();
  readonly #parts = new Map<string, Map<number, Buffer>>();

  get(oid: string): Buffer | undefined {
    return this.#objects.get(oid);
  }

  /** Whether the content has that SHA-256; then it is kept. */
  put(oid: string, content: Buffer): boolean {
    const isRight = createHash('sha256').update(content).digest('hex') === oid;
    if (isRight) this.#objects.set(oid, content);
    return isRight;
  }

  /** @returns the tag by which a part is known */
  putPart(oid: string, number: number, content: Buffer): string {
    const parts = this.#parts.get(oid) ?? new Map<number, Buffer>();
    this.#parts.set(oid, parts.set(number, content));
    return tagOf(content);
  }

  /** Whether the parts are there with these tags, and are together what was meant. */
  complete(oid: string, tags: readonly { readonly partNumber: number; readonly etag: string }[]) {
    const parts = this.#parts.get(oid) ?? new Map<number, Buffer>();
    const found = tags.map(({ partNumber }) => parts.get(partNumber) ?? Buffer.alloc(0));
    const isTold = tags.every(({ etag }, index) => etag === tagOf(found[index]!));
    return isTold && this.put(oid, Buffer.concat(found));
  }
}

function tagOf(content: Buffer): string {
  return `"${createHash('md5').update(content).digest('hex')}"`;
}
