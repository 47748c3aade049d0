/** The signals that end a daemon in the background, heard from its first line on. */

/**
 * Before there is a daemon: whoever ends it in that moment, as it takes the place of another say, ends all that it
 * takes up. A terminal that closes, or Ctrl-C in it, is not meant for a daemon in the background. Returns what is to
 * be told what they do: at once, if one has come.
 */
export function hearSummons(): Summons {
  let isSummoned = false;
  let end = (): void => {};
  const summon = (): void => {
    isSummoned = true;
    end();
  };
  process.on('SIGHUP', () => {});
  process.on('SIGUSR2', () => {}); // logs that are not open yet need not be opened anew
  process.on('SIGINT', summon);
  process.on('SIGTERM', summon);
  return (act) => {
    end = act;
    if (isSummoned) act();
  };
}

export type Summons = (end: () => void) => void;
