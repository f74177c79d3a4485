/**
 * A dimension: a number, or a polynomial over named sizes in canonical text (`past+sequence`,
 * `2*batch*sequence`). Equal text means equal size, so dimensions compare with `===`.
 */
export type Dim = number | string;

/** Sizes of a tensor's axes, outermost first. */
export type Shape = readonly Dim[];

/** Whether all sizes are numbers; those of an expert's rows are known to a run alone. */
export function isStatic(shape: Shape): shape is readonly number[] {
  return shape.every((dim) => typeof dim === 'number');
}

/** Monomial (sorted names joined by `*`, `''` for the constant term) to its coefficient. */
type Polynomial = Map<string, number>;

function parse(dim: Dim): Polynomial {
  if (typeof dim === 'number') return new Map(dim === 0 ? [] : [['', dim]]);
  const terms: Polynomial = new Map();
  for (const term of dim.split('+')) {
    const factors = term.split('*');
    const coefficient = Number(factors[0]);
    const names = Number.isNaN(coefficient) ? factors : factors.slice(1);
    const monomial = names.toSorted().join('*');
    const previous = terms.get(monomial) ?? 0;
    terms.set(monomial, previous + (Number.isNaN(coefficient) ? 1 : coefficient));
  }
  return terms;
}

function print(terms: Polynomial): Dim {
  const nonZero = [...terms].filter(([, coefficient]) => coefficient !== 0);
  if (nonZero.length === 0) return 0;
  const only = nonZero[0];
  if (nonZero.length === 1 && only?.[0] === '') return only[1];
  return nonZero
    .toSorted(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1))
    .map(([monomial, coefficient]) => {
      if (monomial === '') return String(coefficient);
      return coefficient === 1 ? monomial : `${coefficient}*${monomial}`;
    })
    .join('+');
}

/** The sum of two dimensions. */
export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = parse(a);
  for (const [monomial, coefficient] of parse(b)) {
    sum.set(monomial, (sum.get(monomial) ?? 0) + coefficient);
  }
  return print(sum);
}

/** The product of two dimensions. */
export function mulDims(a: Dim, b: Dim): Dim {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product: Polynomial = new Map();
  for (const [left, x] of parse(a)) {
    for (const [right, y] of parse(b)) {
      const monomial = [...left.split('*'), ...right.split('*')]
        .filter((name) => name !== '')
        .toSorted()
        .join('*');
      product.set(monomial, (product.get(monomial) ?? 0) + x * y);
    }
  }
  return print(product);
}

/** Number of elements of a shape. */
export function numElements(shape: Shape): Dim {
  return shape.reduce<Dim>(mulDims, 1);
}

/** Number of elements of a shape without symbolic sizes; undefined with one. */
export function staticSize(shape: Shape): number | undefined {
  const size = numElements(shape);
  return typeof size === 'number' ? size : undefined;
}

/** The size of a dimension where those that it is made of are known; undefined where one is not. */
export function sizeOf(dim: Dim, sizes: ReadonlyMap<string, number>): number | undefined {
  let total = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    const names = monomial === '' ? [] : monomial.split('*');
    const product = names.reduce(
      (size, name) => size * (sizes.get(name) ?? Number.NaN),
      coefficient,
    );
    total += product;
  }
  return Number.isNaN(total) ? undefined : total;
}

/** `[2, past+sequence, 64]` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** True when both shapes have the same axes. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}
