/**
 * Marks the end of an exhaustive switch: the compiler refuses it while a case is missing.
 * @throws Error when a value that the types exclude arrives all the same.
 */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
