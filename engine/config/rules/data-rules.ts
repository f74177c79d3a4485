import type { Given } from '../given.ts';
import { problem, type Rule } from './rule.ts';

/** What is not streamed has no buffer. */
export const streamingRule: Rule = (given) =>
  given('data', 'streaming') === false && given('data', 'buffer_size') !== undefined
    ? [
        problem(
          ['data', 'buffer_size'],
          '`data.buffer_size` has no effect without `data.streaming`; remove one of the two',
        ),
      ]
    : [];

/** Plain text has no completion that could be learned alone. */
export const lossRule: Rule = (given) =>
  isText(given) && given('data', 'completion_only_loss') === true
    ? [
        problem(
          ['data', 'completion_only_loss'],
          '`data.completion_only_loss` has no effect on rows of plain text, which are learned whole; remove it',
        ),
      ]
    : [];

/** What is learned is said once, of rows of which it can be said. */
export const trainOnRule: Rule = (given) => {
  const path = ['data', 'train_on'];
  const trainOn = given('data', 'train_on');
  if (trainOn === undefined) return [];
  if (isText(given)) {
    return [
      problem(
        path,
        '`data.train_on` has no effect on rows of plain text, which are learned whole; remove it',
      ),
    ];
  }
  if (trainOn === 'last_assistant' && isPair(given)) {
    return [
      problem(
        path,
        '`data.train_on` "last_assistant" chooses among several answers, and a prompt has one completion; remove it',
      ),
    ];
  }
  const isCompletionOnly = given('data', 'completion_only_loss');
  if (typeof isCompletionOnly !== 'boolean' || isCompletionOnly === (trainOn !== 'all')) return [];
  return [
    problem(
      path,
      `\`data.train_on\` "${trainOn}" and \`data.completion_only_loss\` ${isCompletionOnly} say different things; keep one of the two`,
      { kind: 'remove', path },
      { kind: 'remove', path: ['data', 'completion_only_loss'] },
    ),
  ];
};

/** A chat template has an effect where rows go through one. */
export const ownTemplateRule: Rule = (given) => {
  if (given('data', 'chat_template') === undefined) return [];
  const applies = given('data', 'apply_chat_template');
  const reason = isText(given)
    ? 'on rows of plain text'
    : applies === false
      ? 'where `data.apply_chat_template` is false'
      : isTemplate(given) && applies !== true
        ? 'on rows that your own templates write, unless `data.apply_chat_template` is true'
        : undefined;
  if (reason === undefined) return [];
  const message = `\`data.chat_template\` has no effect ${reason}; remove it`;
  return [problem(['data', 'chat_template'], message)];
};

/** Plain text never goes through the chat template, and chat turns always do. */
export const chatTemplateRule: Rule = (given) => {
  const applies = given('data', 'apply_chat_template');
  const isChat =
    given('data', 'format') === 'messages' || given('data', 'messages_column') !== undefined;
  if (applies === true && isText(given)) {
    return [
      problem(
        ['data', 'apply_chat_template'],
        '`data.apply_chat_template` cannot be true for rows of plain text, which have no turns; remove it',
      ),
    ];
  }
  return applies === false && isChat
    ? [
        problem(
          ['data', 'apply_chat_template'],
          '`data.apply_chat_template` cannot be false for chat turns, which become text only through the chat template; remove it',
        ),
      ]
    : [];
};

function isText(given: Given): boolean {
  return given('data', 'format') === 'text' || given('data', 'text_column') !== undefined;
}

function isTemplate(given: Given): boolean {
  return (
    given('data', 'format') === 'template' || given('data', 'completion_template') !== undefined
  );
}

/** Rows of a prompt and one completion. */
function isPair(given: Given): boolean {
  const keys = ['prompt_column', 'completion_column'];
  const isNamed = keys.some((key) => given('data', key) !== undefined);
  return given('data', 'format') === 'prompt_completion' || isNamed || isTemplate(given);
}
