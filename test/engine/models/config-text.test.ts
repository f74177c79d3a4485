import { expect, test } from 'vitest';
import { configText } from '../../../engine/models/config-text.ts';

test('numbers that transformers takes with a point only keep it', () => {
  const config = {
    final_logit_softcapping: 30,
    attn_logit_softcapping: null,
    rms_norm_eps: 1e-6,
    hidden_size: 32,
    text_config: { router_jitter_noise: 0 },
    logit_scale: 1,
    time_step_limit: [0, { __float__: 'Infinity' }],
    eos_token_id: [1, 2],
  };
  const text = configText(config);
  expect(text).toContain('"final_logit_softcapping": 30.0,\n');
  expect(text).toContain('"attn_logit_softcapping": null,\n');
  expect(text).toContain('"rms_norm_eps": 0.000001,\n');
  expect(text).toContain('"hidden_size": 32,\n');
  expect(text).toContain('"router_jitter_noise": 0.0\n');
  expect(text).toContain('"logit_scale": 1.0,\n');
  expect(text).toMatch(/"time_step_limit": \[\s*0\.0,\s*\{/);
  expect(text).toMatch(/"eos_token_id": \[\s*1,\s*2\s*\]/);
  expect(JSON.parse(text)).toEqual(config);
});
