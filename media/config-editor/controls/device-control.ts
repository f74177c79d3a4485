import type { OfferedDevice } from '../../../extension/doctor/offered-device.ts';
import type { ChoiceValue } from '../../../server/language/config-form.ts';
import { element } from '../../webview/element.ts';
import { withInlineCode } from '../inline-code.ts';
import {
  alternativesControl,
  freeTextAlternative,
  openChoiceControl,
} from './alternatives-control.ts';
import type { Control, ControlContext } from './control.ts';

/** The first GPU by its short name. */
const FIRST_GPU = { short: 'cuda', long: 'cuda:0' };

/**
 * A device: of those that there are, each with what it is and how much memory it has; or another. Why the chosen one
 * cannot be used stands below it.
 *
 * @param options the names that the schema has, all there is to choose from while devices are not known
 */
export function deviceControl(
  context: ControlContext,
  options: readonly ChoiceValue[],
  devices: readonly OfferedDevice[],
  setUpCuda: () => void,
): Control {
  if (devices.length === 0) return openChoiceControl(context, options);
  const chosen = (value: unknown): OfferedDevice | undefined =>
    devices.find(({ name }) => name === (value === FIRST_GPU.short ? FIRST_GPU.long : value));
  const isNone = (value: unknown): boolean => value === undefined || value === context.default;
  const control = alternativesControl(context, (inner) => [
    {
      label: String(context.default),
      matches: isNone,
      choice: { value: context.default },
    },
    ...devices.map((device) => ({
      label: device.label,
      matches: (value: unknown) => chosen(value) === device,
      choice: { value: device.name },
    })),
    freeTextAlternative(inner),
  ]);
  const sentence = element('span');
  const setUp = element('button', {
    class: 'link',
    text: context.texts.setUpCuda,
    attributes: { type: 'button' },
    on: { click: setUpCuda },
  });
  const attributes = { role: 'status', hidden: true };
  const note = element('p', { class: 'note', attributes }, [sentence, ' ', setUp]);
  let told: string | null = null;
  return {
    ...control,
    element: element('div', { class: 'device' }, [control.element, note]),
    show: (value) => {
      control.show(value);
      const device = chosen(value);
      const problem = device?.problem ?? null;
      note.hidden = problem === null;
      setUp.hidden = device?.name.startsWith(FIRST_GPU.short) !== true;
      // A screen reader reads aloud what is set, even where nothing changes.
      if (problem === told) return;
      told = problem;
      sentence.replaceChildren(element('span', {}, withInlineCode(problem ?? '')));
    },
  };
}
