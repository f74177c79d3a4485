import type { Random } from '../../../engine/random.ts';
import { DEPTHS, KEYS, VALUES } from './interesting.ts';

/** Stands in a value for JSON that no value has: too deep to write, or not the JSON of anything. */
class Raw {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

type Container = Record<string, unknown> | unknown[];

/** A value and where it stands. */
interface Slot {
  readonly container: Container;
  readonly key: string | number;
}

/** All values inside of one, in order. */
function slotsOf(root: unknown): Slot[] {
  const slots: Slot[] = [];
  const open: unknown[] = [root];
  for (const value of open) {
    if (typeof value !== 'object' || value === null || value instanceof Raw) continue;
    const container = value as Container;
    const keys = Array.isArray(container) ? container.keys() : Object.keys(container);
    for (const key of keys) {
      slots.push({ container, key });
      open.push(read({ container, key }));
    }
  }
  return slots;
}

function read({ container, key }: Slot): unknown {
  return (container as Record<string | number, unknown>)[key];
}

function write({ container, key }: Slot, value: unknown): void {
  // Not an assignment, which for "__proto__" would be none.
  Object.defineProperty(container, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

type Mutation = (slot: Slot, random: Random, slots: readonly Slot[]) => void;

const MUTATIONS: readonly Mutation[] = [
  function replace(slot, random) {
    write(slot, structuredClone(VALUES[random.below(VALUES.length)]));
  },
  function remove({ container, key }, random) {
    if (Array.isArray(container)) container.splice(key as number, 1 + random.below(2));
    else Reflect.deleteProperty(container, key);
  },
  function rename(slot, random) {
    if (Array.isArray(slot.container)) return;
    const value = read(slot);
    Reflect.deleteProperty(slot.container, slot.key);
    write({ container: slot.container, key: KEYS[random.below(KEYS.length)]! }, value);
  },
  function swap(slot, random, slots) {
    const other = slots[random.below(slots.length)]!;
    const [a, b] = [structuredClone(read(slot)), structuredClone(read(other))];
    write(slot, b);
    write(other, a);
  },
  function change(slot, random) {
    const value = read(slot);
    if (typeof value === 'number') {
      write(
        slot,
        [-value, value + 1, value - 0.5, value * 1e6, value * 1e300, 1 / value][random.below(6)],
      );
    } else if (typeof value === 'string') {
      const at = random.below(value.length + 1);
      const changed = [value.slice(at), value.toUpperCase(), `${value}\0`, value.repeat(100)];
      write(slot, changed[random.below(4)]!.slice(0, 100_000));
    } else {
      write(slot, [value]);
    }
  },
  function nest(slot, random) {
    const depth = DEPTHS[random.below(DEPTHS.length)]!;
    const [open, close] = random.below(2) === 0 ? ['[', ']'] : ['{"a":', '}'];
    write(slot, new Raw(open.repeat(depth) + stringify(read(slot)) + close.repeat(depth)));
  },
  function multiply(slot, random) {
    const value = read(slot);
    const times = [2, 100, 3000][random.below(3)]!;
    if (stringify(value).length * times > 500_000) return;
    // Copies, or a change of one would be a change of all.
    const copy = (): unknown => (value instanceof Raw ? value : structuredClone(value));
    if (Array.isArray(value)) write(slot, Array.from({ length: times }, copy).flat());
    else if (typeof value === 'object' && value !== null && !(value instanceof Raw)) {
      const entries = Array.from({ length: times }, (_, index) => [`key${index}`, 1]);
      write(slot, { ...value, ...Object.fromEntries(entries) });
    } else {
      write(slot, Array.from({ length: times }, copy));
    }
  },
  function writeOddly(slot, random) {
    write(
      slot,
      new Raw(['1e999', '-1e999', '1e-999', '"\\ud800"', '9'.repeat(400)][random.below(5)]!),
    );
  },
];

/** JSON with its shape changed in one to three places. */
export function mutateJson(json: string, random: Random): string {
  // In a list of one, so that the whole value has a place as well.
  const root: unknown[] = [JSON.parse(json)];
  for (let left = 1 + random.below(3); left > 0; left--) {
    const slots = slotsOf(root);
    const slot = slots[random.below(slots.length)];
    if (slot !== undefined) MUTATIONS[random.below(MUTATIONS.length)]!(slot, random, slots);
  }
  return root.map(stringify).join('');
}

function stringify(value: unknown): string {
  const raws: string[] = [];
  const json = JSON.stringify(value, (_key, item: unknown) => {
    if (!(item instanceof Raw)) return item;
    raws.push(item.json);
    return `@@raw ${raws.length - 1}@@`;
  });
  return (json ?? 'null').replace(
    /"@@raw (\d+)@@"/g,
    (_match, index: string) => raws[Number(index)]!,
  );
}
