import type { Memento } from 'vscode';

/** What goes on in a window and is remembered meanwhile: a reload, or its end, ends it without a word. */
export class UnderWay<Work extends { readonly name: string }> {
  readonly #memory: Memento;
  readonly #key: string;

  /** @param memory of this window, from one session to the next */
  constructor(memory: Memento, key: string) {
    this.#memory = memory;
    this.#key = key;
  }

  async begin(work: Work): Promise<void> {
    await this.#memory.update(this.#key, [...this.#others(work.name), work]);
  }

  async end(name: string): Promise<void> {
    await this.#memory.update(this.#key, this.#others(name));
  }

  /** What did not come to its end when the window was last closed or reloaded; it is told once. */
  async interrupted(): Promise<readonly Work[]> {
    const works = this.#works;
    await this.#memory.update(this.#key, undefined);
    return works;
  }

  get #works(): readonly Work[] {
    return this.#memory.get<readonly Work[]>(this.#key, []);
  }

  #others(name: string): readonly Work[] {
    return this.#works.filter((each) => each.name !== name);
  }
}
