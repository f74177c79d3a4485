import { describe, expect, test } from 'vitest';
import { TimeLimitError } from '../../../engine/time-limit.ts';
import { ChatTemplate } from '../../../engine/tokenizer/chat-template.ts';

const SECONDS = 0.3;

function render(template: string, content = 'Hi', seconds = 60): string {
  const messages = [{ role: 'user', content }];
  const options = { addGenerationPrompt: true };
  return new ChatTemplate(template, {}, 'models/x', seconds).render(messages, options).text;
}

describe('templates that never end', () => {
  test.each([
    [
      'loops within loops',
      '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}',
    ],
    [
      'a macro that calls itself twice',
      '{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}',
    ],
    [
      'a value that is doubled a hundred times',
      doubled(100, '[x, x]', '{{ x | tojson | length }}'),
    ],
  ])('%s', (_name, template) => {
    const failure = catchError(() => render(template, 'Hi', SECONDS));
    expect(failure).toBeInstanceOf(TimeLimitError);
    expect(failure).toMatchObject({
      code: 'data.chat_template',
      message: expect.stringMatching(/^The chat template of models\/x took more than 1 seconds/),
    });
  });
});

const MORE = '{% set ns.all = ns.all + [x.upper()] %}';

describe('templates that make more than memory holds', () => {
  test.each([
    ['a range of two billion numbers', '{{ range(2000000000) | length }}'],
    ['a range backwards', '{{ range(0, -2000000000, -1) | length }}'],
    ['a text that is doubled', doubled(40, 'x ~ x', '{{ x | length }}', "'ab'")],
    ['a text that is replaced by itself', doubled(12, "x.replace('a', x)", '{{ x }}', "'aaaa'")],
    ['a list that is doubled', doubled(40, 'x + x', '{{ x | length }}', '[1]')],
    [
      'many texts, each of a plausible size',
      doubled(20, 'x ~ x', `{% set ns = namespace(all=[]) %}${MORE.repeat(100)}`, "'a'"),
    ],
    [
      'a text in very many pieces',
      `{% set x = ${"'a ' ~ ".repeat(9)}'' %}${doubled(22, 'x ~ x')}{{ x.split(' ') }}`,
    ],
  ])('%s', (_name, template) => {
    expect(() => render(template)).toThrow(
      expect.objectContaining({
        code: 'data.chat_template',
        message: expect.stringMatching(/^The chat template of models\/x makes more than/),
      }),
    );
  });

  test('a template of a size that none has is refused', () => {
    expect(() => render(' '.repeat(2 ** 20 + 1))).toThrow('is not valid Jinja');
  });
});

test('a macro without an end comes to the end of the stack', () => {
  expect(() => render('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}')).toThrow(
    expect.objectContaining({ code: 'data.chat_template' }),
  );
});

describe('templates keep what they had', () => {
  test.each([
    ['{{ range(3) }}{{ range(1, 3) }}{{ range(5, 0, -2) }}', '[0, 1, 2][1, 2][5, 3, 1]'],
    ['{{ True }}{{ none is none }}{{ None is defined }}', 'truetruetrue'],
    ["{{ strftime_now('%Y') | length }}", '4'],
    ['{{ tools is none }}{{ add_generation_prompt }}', 'truetrue'],
  ])('%s', (template, text) => {
    expect(render(template)).toBe(text);
  });

  test('a long conversation is no attack', () => {
    const content = 'Why is the sky blue? '.repeat(50_000);
    const template = '{% for m in messages %}{{ m.content | trim }}{% endfor %}';
    expect(render(template, content)).toBe(content.trim());
  });

  test.each([['{{ raise_exception("no") }}', /refused a conversation \(no\)/]])(
    '%s',
    (template, message) => {
      expect(() => render(template)).toThrow(message);
    },
  );
});

/** A template that makes a value anew from itself again and again. */
function doubled(times: number, step: string, end = '', start = ''): string {
  const begin = start === '' ? '' : `{% set x = ${start} %}`;
  return `${begin || ''}${`{% set x = ${step} %}`.repeat(times)}${end}`;
}

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
