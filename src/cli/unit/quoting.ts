/** Words and values as systemd.syntax(7) and systemd.service(5) want them, so that they mean what they say. */

/** A word of a command line: nothing in it is a specifier, a variable or the end of the word. */
export const commandWord = (text: string): string => `"${escaped(text).replaceAll('$', '$$$$')}"`;

/** The program itself: no variables are looked for in it, so that there a dollar is a dollar. */
export const commandFile = (text: string): string => `"${escaped(text)}"`;

/** An assignment of Environment=. */
export const assignment = (name: string, value: string): string => `"${escaped(`${name}=${value}`)}"`;

/** A value that goes to the end of its line, such as that of Description=. */
export const lineValue = (text: string): string =>
  text
    .replace(/[\s\p{Cc}\\]+/gu, ' ')
    .trim()
    .replaceAll('%', '%%');

const escaped = (text: string): string =>
  text
    .replace(/["\\]/g, (character) => `\\${character}`)
    .replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll('%', '%%');
