import { expect, test, vi } from 'vitest';
import { ConfigForm } from '../../../extension/config-editor/config-form.ts';
import type { HostMessage } from '../../../extension/config-editor/messages.ts';
import type { KnownDevice } from '../../../extension/doctor/known-devices.ts';
import { Uri } from '../../support/vscode-files.ts';
import { EventEmitter } from '../../support/vscode-window.ts';
import { OpenedPanel } from '../../support/webview-panel.ts';

vi.mock('vscode', () => import('../../support/vscode-window.ts'));

const CPU: KnownDevice = { name: 'cpu', facts: ['2 cores', '8.0 GiB'], problem: null };
const OFFERED = { name: 'cpu', label: 'cpu · 2 cores · 8.0 GiB', problem: null };

/** The form of a configuration, whose page is there, and the looks at devices that it waits for. */
async function openForm() {
  const panel = new OpenedPanel<HostMessage>();
  const forgotten = new EventEmitter<void>();
  const looks: ((devices: readonly KnownDevice[]) => void)[] = [];
  const devices = {
    lookAside: () => new Promise((resolve) => looks.push(resolve)),
    onDidForget: forgotten.event,
  };
  const document = { uri: Uri.file('/a.lorafa.json'), version: 1, getText: () => '{}' };
  const server = { ask: () => Promise.reject(new Error('no server')) };
  const form = new ConfigForm(
    ...([document, panel, server, devices] as unknown as ConstructorParameters<typeof ConfigForm>),
  );
  panel.onDidDispose(() => form.dispose());
  panel.ask({ type: 'ready' });
  await vi.waitFor(() => expect(looks).toHaveLength(1));
  return { panel, forgotten, looks };
}

test('devices are offered when they are known, and again when that changes', async () => {
  const { panel, forgotten, looks } = await openForm();
  expect(panel.last('devices')).toBeUndefined();
  looks[0]!([CPU]);
  await vi.waitFor(() => expect(panel.last('devices')?.devices).toEqual([OFFERED]));
  forgotten.fire();
  looks[1]!([]);
  await vi.waitFor(() => expect(panel.last('devices')?.devices).toEqual([]));
});

test('what is found after the form was closed is told to nobody', async () => {
  const { panel, forgotten, looks } = await openForm();
  panel.dispose();
  const page = vi.spyOn(panel, 'webview', 'get');
  looks[0]!([CPU]);
  forgotten.fire();
  await new Promise(setImmediate);
  expect(page).not.toHaveBeenCalled();
  expect(looks).toHaveLength(1);
});
