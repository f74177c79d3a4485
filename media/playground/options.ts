/**
 * Shows these options, or groups of them, in a list. Those that stand there already stay as they are, so that a list
 * that is looked at does not change under one's eyes; a value that is none of them picks the first.
 */
export function showOptions(
  list: HTMLSelectElement,
  value: string,
  options: readonly HTMLElement[],
): void {
  arrange(list, options);
  if (list.value !== value) list.value = value;
  if (list.selectedIndex < 0) list.selectedIndex = 0;
}

/** Whether one of the lists is open. Browsers that do not tell have none that is. */
export function isAnyOpen(lists: readonly HTMLSelectElement[]): boolean {
  return CSS.supports('selector(:open)') && lists.some((list) => list.matches(':open'));
}

function arrange(parent: Element, wanted: readonly Element[]): void {
  const before = new Map([...parent.children].map((child) => [keyOf(child), child]));
  const children = wanted.map((each) => {
    const same = before.get(keyOf(each));
    if (same instanceof HTMLOptGroupElement) arrange(same, [...each.children]);
    return same ?? each;
  });
  for (const child of [...parent.children]) {
    if (!children.includes(child)) child.remove();
  }
  for (const [place, child] of children.entries()) {
    const there = parent.children[place];
    if (there !== child) parent.insertBefore(child, there ?? null);
  }
}

/** What an option says, and what a group is called. */
function keyOf(child: Element): string {
  if (child instanceof HTMLOptionElement) return JSON.stringify([child.value, child.text]);
  return child instanceof HTMLOptGroupElement ? child.label : '';
}
