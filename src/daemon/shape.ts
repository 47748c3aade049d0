/** Whether what was read has the form that it was written with: a spoilt or later file may hold anything. */

type Field = 'text' | 'number' | 'count' | 'date' | 'yes or no' | 'list' | 'fields';
/** `?`: may be null. `??`: or missing, since an earlier version has not written it. */
export type Shape = Readonly<Record<string, Field | `${Field}?` | `${Field}??`>>;

export function hasShape(value: unknown, shape: Shape): boolean {
  if (!isFields(value)) return false;
  return Object.entries(shape).every(([key, field]) => {
    const found = fieldAt(value, key);
    if (field.endsWith('?') && found === null) return true;
    if (field.endsWith('??') && found === undefined) return true;
    const is = IS[field.replace(/\?+$/, '')];
    return is?.(found) === true;
  });
}

/** Undefined where there is none. */
export function fieldAt(value: unknown, key: string): unknown {
  return isFields(value) && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}

export const isOneOf = (names: readonly string[], name: unknown): boolean =>
  typeof name === 'string' && names.includes(name);

const isFields = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Later ones cannot be shown to anybody. */
const LAST_DATE_MS = 8.64e15;

const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  count: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  date: (value) => typeof value === 'number' && Math.abs(value) <= LAST_DATE_MS,
  'yes or no': (value) => typeof value === 'boolean',
  list: (value) => Array.isArray(value),
  fields: isFields,
};
