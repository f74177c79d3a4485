import { givenIn, member } from './given.ts';
import type { PathProblem } from './path-problem.ts';
import { backendRule, processesRule, sharingRule } from './rules/backend-rules.ts';
import { configFileRule } from './rules/config-file-rule.ts';
import {
  chatTemplateRule,
  lossRule,
  ownTemplateRule,
  streamingRule,
  trainOnRule,
} from './rules/data-rules.ts';
import { deviceRule, tf32Rule } from './rules/engine-rules.ts';
import { bestRule, evaluationRule } from './rules/evaluation-rules.ts';
import { machinesRule } from './rules/machine-rules.ts';
import {
  computeRule,
  fullMethodRule,
  initAdapterRule,
  memoryRule,
  quantizationRule,
} from './rules/method-rules.ts';
import { reportRule, sampleRule } from './rules/report-rules.ts';
import { mixRule, rowShapeRule, templateRule } from './rules/row-rules.ts';
import type { Rule } from './rules/rule.ts';
import { lengthRule, scheduleRule } from './rules/schedule-rules.ts';

/**
 * Keys that are fine alone and mean nothing together. A key that would have no effect is an error,
 * never ignored; a default never contradicts anything. Values of a wrong type are left to the schema.
 */
export function contradictions(value: unknown): readonly PathProblem[] {
  const given = givenIn(value);
  const keysOf = (section: string): readonly string[] => Object.keys(member(value, section) ?? {});
  const loraKeys = keysOf('lora');
  const rules: readonly Rule[] = [
    evaluationRule,
    bestRule,
    rowShapeRule,
    templateRule,
    streamingRule,
    mixRule,
    lossRule,
    trainOnRule,
    chatTemplateRule,
    ownTemplateRule,
    lengthRule,
    scheduleRule,
    sampleRule,
    reportRule,
    memoryRule,
    quantizationRule,
    computeRule,
    deviceRule,
    tf32Rule,
    processesRule,
    sharingRule,
    machinesRule,
    configFileRule,
    (get) => backendRule(get, keysOf('accelerate')),
    (get) => fullMethodRule(get, loraKeys),
    (get) => initAdapterRule(get, loraKeys),
  ];
  return rules.flatMap((rule) => rule(given));
}
