import { CancellationToken } from 'vscode-jsonrpc/node';
import { readConfig } from '../../engine/config/parse.ts';
import { runCli } from '../../server/cli-process.ts';
import { Generators } from '../../server/generator/generators.ts';
import { InspectorClient } from '../../server/language/inspection/inspector-client.ts';

/** A process that has another one do what does not come to an end, as the language server would. */
const [kind, out, model, configFile, text] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
const { None } = CancellationToken;

switch (kind) {
  case 'generator': {
    const choice = { model, device: 'cpu', quantization: null };
    // The time grows with the text.
    await new Generators(`${out}/generator.js`).countTokens(
      choice,
      text + ' '.repeat(2_500_000),
      None,
    );
    break;
  }
  case 'inspector': {
    const config = await readConfig(configFile);
    await new InspectorClient(`${out}/inspector.js`).estimate(config, () => undefined);
    break;
  }
  default:
    await runCli(`${out}/cli.js`, ['preview', configFile], None);
}
