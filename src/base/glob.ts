/** Names with wildcards: `*` stands for any text, `?` for any one character. */

/** Not by a regular expression: one that a selector such as `*?*?*?…` makes may be at work for hours. */
export function fits(glob: string, text: string): boolean {
  let [g, t] = [0, 0];
  // The last star so far, and where what it stands for ends; a mismatch makes that one longer.
  let [star, end] = [-1, 0];
  while (t < text.length) {
    if (glob[g] === '*') [star, end] = [g++, t];
    else if (glob[g] === '?' || glob[g] === text[t]) [g, t] = [g + 1, t + 1];
    else if (star >= 0) [g, t] = [star + 1, ++end];
    else return false;
  }
  return /^\**$/.test(glob.slice(g));
}
