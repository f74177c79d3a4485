import type { Value } from '../value.ts';
import type { Apply } from './webgpu-ops.ts';

/**
 * 2π in two parts, of which the first has so few bits that its products with whole numbers up to 2¹⁶ are exact in
 * float32 (W. J. Cody and W. Waite, "Software Manual for the Elementary Functions", 1980).
 */
const TURN = { coarse: 6.28125, fine: 2 * Math.PI - 6.28125 };

/** What is left of an angle is halved so often, and its sine and cosine are doubled as often. */
const HALVINGS = 3;

/**
 * Sine and cosine of float32 angles in products and sums, to about 1e-6 up to 10,000 and 5e-6 up to 400,000.
 *
 * @param angle float32, in radians
 */
export function sineAndCosine(
  angle: Value,
  apply: Apply,
): { readonly sin: Value; readonly cos: Value } {
  const number = (data: number): Value =>
    apply('constant', [], { dtype: 'float32', shape: [], data: [data] });
  const mul = (a: Value, b: Value): Value => apply('mul', [a, b], {});
  const sub = (a: Value, b: Value): Value => apply('sub', [a, b], {});
  const turns = apply('cast', [mul(angle, number(1 / (2 * Math.PI)))], { to: 'int32' });
  const whole = apply('cast', [turns], { to: 'float32' });
  const rest = sub(sub(angle, mul(whole, number(TURN.coarse))), mul(whole, number(TURN.fine)));
  const small = mul(rest, number(2 ** -HALVINGS));
  const square = mul(small, small);
  const one = number(1);
  /** `1 − x²/d₁ · (1 − x²/d₂ · (1 − …))` */
  const series = (divisors: readonly number[]): Value =>
    divisors.reduceRight(
      (inner, divisor) => sub(one, mul(mul(square, number(1 / divisor)), inner)),
      one,
    );
  let sin = mul(small, series([2 * 3, 4 * 5, 6 * 7, 8 * 9, 10 * 11]));
  let cos = series([1 * 2, 3 * 4, 5 * 6, 7 * 8, 9 * 10]);
  for (let i = 0; i < HALVINGS; i++) {
    const twice = mul(number(2), sin);
    [sin, cos] = [mul(twice, cos), sub(one, mul(twice, sin))];
  }
  return { sin, cos };
}
