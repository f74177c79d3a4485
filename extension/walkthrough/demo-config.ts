import { applyEdits, modify } from 'jsonc-parser';

/** Where the demo's run goes once the demo lies in a folder of the user's, from there. */
const OUTPUT_FOLDER = 'runs/demo';

/** The demo's configuration as it is copied to the user: comments kept, the run beside it. */
export function demoConfigForUser(text: string): string {
  return applyEdits(text, modify(text, ['training', 'output_dir'], OUTPUT_FOLDER, {}));
}
