import type { Frame, Locator } from 'playwright-core';
import { vi } from 'vitest';
import type { Editor } from './editor.ts';

/** The page of the only form of a configuration. */
export function formOf(editor: Editor, file: string): Promise<Frame> {
  return vi.waitUntil(async () => (await formsOf(editor, file))[0], {
    timeout: 30_000,
    interval: 200,
  });
}

/** Pages of forms: VS Code gives the frames of custom editors no title, but their pages have one. */
export async function formsOf({ page }: Editor, file: string): Promise<readonly Frame[]> {
  const forms: Frame[] = [];
  for (const frame of page.frames()) {
    const isForm = (await frame.title().catch(() => '')) === file;
    if (isForm && (await frame.locator('main').isVisible())) forms.push(frame);
  }
  return forms;
}

/** The field of a key, e.g. `lora.r`. */
export function field(form: Frame, key: string): Locator {
  return form.locator(`.field[data-path="${key}"]`);
}
