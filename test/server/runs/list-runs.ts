import { ObservedManager } from './observed-manager.ts';

/** Prints, as JSON, the runs of a workspace (its folder and that of a registry are the arguments) and the journal of the first. */
const [, , workspace, registryFolder] = process.argv;
const observed = new ObservedManager(workspace!, registryFolder!, 'none');
const runs = await observed.manager.list();
await observed.follow(runs[0]!.folder);
const names = runs.map(({ name }) => name);
process.stdout.write(JSON.stringify({ names, types: observed.entries.map(({ type }) => type) }));
observed.manager.dispose();
