import type { PlaygroundTexts } from '../../extension/playground/playground-texts.ts';
import { inferredCount } from '../../server/inferred-count.ts';
import type { AdapterTraining } from '../../server/protocol/models.ts';
import { element, showText } from '../webview/element.ts';
import { formatCount } from '../webview/numbers.ts';
import { fill } from '../webview/texts.ts';

/** A line that says what the picked adapter was trained on. */
export class TrainingLine {
  readonly root = element('p', { class: 'trained quiet', attributes: { hidden: true } });
  readonly #texts: PlaygroundTexts;

  constructor(texts: PlaygroundTexts) {
    this.#texts = texts;
  }

  /** @param training null where the adapter's folder does not tell; undefined without an adapter */
  show(training: AdapterTraining | null | undefined): void {
    this.root.hidden = training === undefined;
    if (training !== undefined) showText(this.root, this.#describe(training));
    this.root.title = training?.files.join('\n') ?? '';
  }

  #describe(training: AdapterTraining | null): string {
    const texts = this.#texts;
    if (training === null) return texts.trainedOnUnknown;
    const { files, rows, shape, isChat, templates } = training;
    const names = files.map((file) => file.split(/[\\/]/).at(-1)!).join(', ');
    if (rows === null) return fill(texts.trainedOnFiles, names);
    const how =
      templates === null
        ? isChat === true
          ? texts.withTemplate
          : texts.withoutTemplate
        : fill(
            texts.withOwnTemplate,
            JSON.stringify(`${templates.prompt ?? ''}${templates.completion}`),
          );
    const count = inferredCount(formatCount(rows), training.isInferred === true, texts.about);
    return fill(texts.trainedOn, count, names, `${shape}, ${how}`);
  }
}
