import type { GraphBuilder } from '../graph/builder.ts';
import type { Value } from '../graph/value.ts';
import type { Activation } from './decoder-config.ts';

/** An activation function, number by number. */
export function activate(builder: GraphBuilder, activation: Activation, x: Value): Value {
  switch (activation) {
    case 'silu':
      return builder.silu(x);
    case 'gelu':
      return builder.gelu(x, 'none');
    case 'gelu_tanh':
      return builder.gelu(x, 'tanh');
  }
}
