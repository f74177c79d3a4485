import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  CHAT_VENDOR,
  COMMANDS,
  CONFIG_EDITOR,
  CONFIG_FILE_PATTERN,
  CONFIG_LANGUAGE,
  CONTEXT_KEYS,
  PANELS,
  SETTINGS,
  SETTINGS_SECTION,
  VIEW_CONTAINER,
  VIEWS,
} from '../../extension/ids.ts';
import { ADAPTER_COMMANDS } from '../../extension/models/adapter-commands.ts';
import manifest from '../../package.json' with { type: 'json' };
import texts from '../../package.nls.json' with { type: 'json' };

const { contributes } = manifest;

test('the manifest contributes the commands, views and settings of ids.ts and no others', () => {
  expect(contributes.commands.map(({ command }) => command)).toEqual(Object.values(COMMANDS));
  expect(contributes.viewsContainers.activitybar.map(({ id }) => id)).toEqual([VIEW_CONTAINER]);
  expect(Object.keys(contributes.views)).toEqual([VIEW_CONTAINER]);
  expect(contributes.views[VIEW_CONTAINER].map(({ id }) => id)).toEqual(Object.values(VIEWS));
  expect(Object.keys(contributes.configuration.properties)).toEqual(
    Object.values(SETTINGS).map((name) => `${SETTINGS_SECTION}.${name}`),
  );
});

test('the config editor and the language are for the same files', () => {
  expect(contributes.customEditors).toMatchObject([
    { viewType: CONFIG_EDITOR, selector: [{ filenamePattern: CONFIG_FILE_PATTERN }] },
  ]);
  expect(contributes.languages).toEqual([
    { id: CONFIG_LANGUAGE, extensions: [CONFIG_FILE_PATTERN.slice(1)] },
  ]);
  expect(manifest.activationEvents).toEqual([
    `onLanguage:${CONFIG_LANGUAGE}`,
    // Runs that go on, and panels, are there again after a reload of the window.
    `workspaceContains:**/${CONFIG_FILE_PATTERN}`,
    ...Object.values(PANELS).map((panel) => `onWebviewPanel:${panel}`),
  ]);
});

test('menus, conditions and links name ids that exist', () => {
  const ids = new Set<string>([
    ...[COMMANDS, VIEWS, PANELS, CONTEXT_KEYS].flatMap((group) => Object.values(group)),
    ...Object.values(SETTINGS).map((name) => `${SETTINGS_SECTION}.${name}`),
    CONFIG_EDITOR,
  ]);
  const used = JSON.stringify([contributes, texts]).matchAll(/\blorafa\.(?!json)[\w.]+/g);
  for (const [id] of used) expect(ids).toContain(id);
});

test('what an adapter is good for is in the menus of runs and of adapters, in the same order', () => {
  for (const [view, commands] of [
    [VIEWS.runs, ADAPTER_COMMANDS],
    // Enter is shown beside this one, and there alone.
    [VIEWS.adapters, { ...ADAPTER_COMMANDS, test: COMMANDS.enterAdapter }],
  ] as const) {
    const items = contributes.menus['view/item/context'].filter(
      ({ when, group }) => when.includes(`view == ${view} `) && group.startsWith('2_adapter'),
    );
    expect(items.map(({ command, group }) => [command, group])).toEqual(
      Object.values(commands).map((command, at) => [command, `2_adapter@${at + 1}`]),
    );
  }
});

test('a command with a key of one view is in the menus of no other, where VS Code would show the key too', () => {
  for (const { command, when } of contributes.keybindings) {
    const [, view] = /focusedView == (\S+)/.exec(when)!;
    const menus = contributes.menus['view/item/context'].filter((item) => item.command === command);
    expect(menus.length).toBeGreaterThan(0);
    for (const menu of menus) expect(menu.when).toMatch(new RegExp(`^view == ${view}( |$)`));
  }
});

test("the models of VS Code's chat are those of one vendor", () => {
  expect(contributes.languageModelChatProviders).toMatchObject([{ vendor: CHAT_VENDOR }]);
});

test('every text of the manifest exists, and every text is used', () => {
  const used = [...JSON.stringify(manifest).matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key!);
  expect([...new Set(used)].sort()).toEqual(Object.keys(texts).sort());
});

test('every icon of the manifest exists', () => {
  for (const [, file] of JSON.stringify(manifest).matchAll(/"(media\/[^"]+)"/g)) {
    expect(existsSync(file!), file).toBe(true);
  }
});
