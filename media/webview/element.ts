/** Properties of a new element: attributes by name, and handlers of its events. */
export interface ElementOptions {
  readonly class?: string;
  /** Sets `textContent`: never read as HTML. */
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
  if (options.text !== undefined) made.textContent = options.text;
  for (const [name, value] of Object.entries(options.attributes ?? {})) {
    if (value !== undefined && value !== false)
      made.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [type, handler] of Object.entries(options.on ?? {})) {
    made.addEventListener(type, handler as EventListener);
  }
  made.append(...children);
  return made;
}
