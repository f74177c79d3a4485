import { visible } from '../../server/plain-text.ts';
import { element } from './element.ts';

/** One of several views that take the same place. */
export interface Tab {
  /** Kept as the choice of the user. */
  readonly id: string;
  readonly label: string;
  readonly content: HTMLElement;
}

/** What is told of a list of tabs. */
export interface TabEvents {
  /** The user has chosen another tab. */
  onSelect(id: string): void;
  /** The user wants one that cannot be had. */
  onRefuse?(id: string): void;
}

/**
 * A list of tabs, as the ARIA practices describe it: arrow keys move between tabs. One that cannot be had can be reached
 * all the same, so that everybody is told why.
 */
export class Tabs {
  readonly root: HTMLElement;
  readonly #all: readonly Tab[];
  readonly #buttons: readonly HTMLButtonElement[];
  readonly #views: readonly HTMLElement[];
  readonly #events: TabEvents;
  #chosen: number;

  /** @param selected id of the first choice; another than those of the tabs means the first tab */
  constructor(label: string, all: readonly Tab[], selected: string | undefined, events: TabEvents) {
    this.#all = all;
    this.#events = events;
    this.#chosen = Math.max(0, this.#placeOf(selected));
    this.#buttons = all.map(({ id, label: text }, index) =>
      element('button', {
        text,
        attributes: { role: 'tab', id: `tab-${id}`, 'aria-controls': `view-${id}` },
        on: {
          click: () => this.#want(index),
          keydown: (event) => this.#move(event, index),
        },
      }),
    );
    this.#views = all.map(({ id, content }) =>
      element(
        'div',
        { attributes: { role: 'tabpanel', id: `view-${id}`, 'aria-labelledby': `tab-${id}` } },
        [content],
      ),
    );
    this.#show(this.#chosen);
    this.root = element('div', {}, [
      element('div', { attributes: { role: 'tablist', 'aria-label': label } }, this.#buttons),
      ...this.#views,
    ]);
  }

  /** Id of the tab that is shown. */
  get chosen(): string {
    return this.#all[this.#chosen]!.id;
  }

  /** Shows a tab, as if the user had chosen it. */
  choose(id: string): void {
    this.#show(this.#placeOf(id));
    this.#events.onSelect(id);
  }

  /** Puts the focus on the tab that is shown. */
  focus(): void {
    this.#buttons[this.#chosen]!.focus();
  }

  /** Lets a tab be chosen, or says in its tooltip why it cannot. */
  allow(id: string, problem: string | undefined): void {
    const button = this.#buttons[this.#placeOf(id)]!;
    // Not `disabled`, which would keep the focus, and so the reason, from whoever has no mouse.
    if (problem === undefined) button.removeAttribute('aria-disabled');
    else button.setAttribute('aria-disabled', 'true');
    button.title = visible(problem ?? '');
  }

  #placeOf(id: string | undefined): number {
    return this.#all.findIndex((each) => each.id === id);
  }

  #show(chosen: number): void {
    this.#chosen = chosen;
    this.#buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      this.#views[index]!.hidden = index !== chosen;
    });
  }

  #isAllowed(index: number): boolean {
    return !this.#buttons[index]!.hasAttribute('aria-disabled');
  }

  #want(index: number): void {
    const { id } = this.#all[index]!;
    if (this.#isAllowed(index)) this.choose(id);
    else this.#events.onRefuse?.(id);
  }

  #move(event: KeyboardEvent, index: number): void {
    const offset = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (offset === undefined) return;
    const next = (index + offset + this.#all.length) % this.#all.length;
    if (this.#isAllowed(next)) this.choose(this.#all[next]!.id);
    this.#buttons[next]!.focus();
    event.preventDefault();
  }
}
