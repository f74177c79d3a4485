import { element } from './element.ts';

/** One of several views that take the same place. */
export interface Tab {
  /** Kept as the choice of the user. */
  readonly id: string;
  readonly label: string;
  readonly content: HTMLElement;
}

/**
 * A list of tabs, as the ARIA practices describe it: arrow keys move between tabs.
 *
 * @param selected id of the first choice; another than those of the tabs means the first tab
 * @param onSelect called with each later choice
 */
export function tabs(
  label: string,
  all: readonly Tab[],
  selected: string | undefined,
  onSelect: (id: string) => void,
): HTMLElement {
  const buttons = all.map(({ id, label: text }, index) =>
    element('button', {
      text,
      attributes: { role: 'tab', id: `tab-${id}`, 'aria-controls': `view-${id}` },
      on: { click: () => choose(index), keydown: (event) => move(event, index) },
    }),
  );
  const views = all.map(({ id, content }) =>
    element(
      'div',
      { attributes: { role: 'tabpanel', id: `view-${id}`, 'aria-labelledby': `tab-${id}` } },
      [content],
    ),
  );
  show(
    Math.max(
      0,
      all.findIndex(({ id }) => id === selected),
    ),
  );
  return element('div', {}, [
    element('div', { attributes: { role: 'tablist', 'aria-label': label } }, buttons),
    ...views,
  ]);

  function show(chosen: number): void {
    buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === chosen));
      button.tabIndex = index === chosen ? 0 : -1;
      views[index]!.hidden = index !== chosen;
    });
  }

  function choose(index: number): void {
    show(index);
    onSelect(all[index]!.id);
  }

  function move(event: KeyboardEvent, index: number): void {
    const offset = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (offset === undefined) return;
    const next = (index + offset + all.length) % all.length;
    choose(next);
    buttons[next]!.focus();
    event.preventDefault();
  }
}
