import { COMMANDS } from '../ids.ts';

/**
 * What an adapter is good for, in the order of the buttons of a run panel and of menus. One more is its line here,
 * its words in `run-panel-texts.ts`, and its places in the menus of the manifest, which a test holds against this.
 */
export const ADAPTER_COMMANDS = {
  test: COMMANDS.testAdapter,
  chat: COMMANDS.chatWithAdapter,
  export: COMMANDS.exportAdapter,
  push: COMMANDS.pushAdapter,
} as const;

/** See {@link ADAPTER_COMMANDS}. */
export type AdapterTask = keyof typeof ADAPTER_COMMANDS;

export const ADAPTER_TASKS = Object.keys(ADAPTER_COMMANDS) as readonly AdapterTask[];
