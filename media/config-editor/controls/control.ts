import type { FormTexts } from '../../../extension/config-editor/form-texts.ts';

/** The part of a field in which its value is shown and changed. */
export interface Control {
  readonly element: HTMLElement;
  /**
   * Shows a value of the text; undefined where the key is left out. What the person is typing
   * meanwhile, the focus and the cursor stay.
   */
  show(value: unknown): void;
  setDisabled(isDisabled: boolean): void;
  /** Marks it as the place of a problem. */
  setInvalid(isInvalid: boolean): void;
}

/** What a control is told about its field. */
export interface ControlContext {
  /** For screen readers. */
  readonly label: string;
  /** What holds where the key is left out. */
  readonly default: unknown;
  readonly texts: FormTexts;
  /** Writes a value into the text; undefined takes the key out. */
  write(value: unknown): void;
}
