import { visible } from '../../server/plain-text.ts';

/** Properties of a new element: attributes by name, and handlers of its events. */
export interface ElementOptions {
  readonly class?: string;
  /** See {@link showText}. */
  readonly text?: string;
  /** Attributes; `undefined` leaves one out, `true` sets an empty one. */
  readonly attributes?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly on?: {
    readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void;
  };
}

/** Makes an element with its children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  options: ElementOptions = {},
  children: readonly (Node | string)[] = [],
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (options.class !== undefined) made.className = options.class;
  if (options.text !== undefined) showText(made, options.text);
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    if (value !== undefined && value !== false)
      made.setAttribute(name, value === true ? '' : attributeText(name, String(value)));
  }
  for (const [type, handler] of Object.entries(options.on ?? {})) {
    made.addEventListener(type, handler as EventListener);
  }
  made.append(...children.map((child) => (typeof child === 'string' ? visible(child) : child)));
  return made;
}

/**
 * Shows a text that may come from outside, instead of all that an element holds: never as HTML, and
 * with everything in it that has no shape of its own, or would steer what stands around it, visible.
 */
export function showText(target: Element, text: string): void {
  const shown = visible(text);
  // A screen reader reads aloud what is set, even where nothing changes.
  if (target.textContent !== shown) target.textContent = shown;
}

/** Attributes that people read; others are values, which stay as they are. */
const READ_ATTRIBUTES: ReadonlySet<string> = new Set([
  'title',
  'aria-label',
  'label',
  'placeholder',
]);

function attributeText(name: string, value: string): string {
  return READ_ATTRIBUTES.has(name) ? visible(value) : value;
}
