/** What a piece of text means; how it then looks is colour.ts's matter, or nobody's. */
export interface Paint {
  good(text: string): string;
  busy(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
  strong(text: string): string;
  /** A colour of its own for each number, for names side by side. */
  name(index: number, text: string): string;
}

const same = (text: string): string => text;

/** No colours. */
export const plain: Paint = {
  good: same,
  busy: same,
  bad: same,
  faint: same,
  strong: same,
  name: (_index, text) => text,
};
