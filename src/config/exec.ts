/** The shape of a command beside the program's own: its words, split as a shell would and run without one. */

import { placeOf, type Shape } from './shape.ts';
import { command, wordsOf } from './values.ts';

export const execWords: Shape<readonly string[]> = {
  expects: command.expects,
  read(tree, reading, at) {
    const read = command.read(tree, reading, at);
    if (read === undefined) return undefined;
    const words = wordsOf(read, false);
    if (words.ok) return words.value;
    reading.complain(placeOf(tree, at), words.error);
    return undefined;
  },
  show: (words) => command.show({ kind: 'words', words }),
};
