/** Takes from the lines of a log what was put around them. */
import { PIECE_BYTES } from '../../src/logs/format.ts';

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z $/;
const STAMP_BYTES = 25;
const CUT = Buffer.from('…');
const NEWLINE = Buffer.from('\n');

/** What was written. @throws where a line is not as it is to be. */
export function undressed(log: Buffer, format: 'raw' | 'json'): Buffer {
  const texts: Buffer[] = [];
  let isWithin = false;
  for (let from = 0; from < log.length; ) {
    const end = log.indexOf(10, from);
    if (end < 0) throw new Error('the last line has no end');
    const line = log.subarray(from, end);
    const { text, isPiece }: Part = format === 'json' ? ofJson(line) : ofText(line, isWithin);
    texts.push(...(isPiece ? [text] : [text, NEWLINE]));
    isWithin = isPiece;
    from = end + 1;
  }
  return Buffer.concat(texts);
}

interface Part {
  readonly text: Buffer;
  readonly isPiece: boolean;
}

function ofJson(line: Buffer): Part {
  const { time, message, partial = false, ...rest } = JSON.parse(line.toString());
  if (!STAMP.test(`${time} `)) throw new Error(`${time} is no time`);
  const names = Object.keys(rest).join();
  if (names !== 'instance,run,stream') throw new Error(`with ${names}`);
  return { text: Buffer.from(message), isPiece: partial };
}

/** Only the length tells a piece from a line that happens to end like one. */
function ofText(line: Buffer, isWithin: boolean): Part {
  const stamp = line.toString('latin1', 0, STAMP_BYTES);
  if (!STAMP.test(stamp)) throw new Error(`"${stamp}" is no time`);
  const begin = STAMP_BYTES + (isWithin ? CUT.length : 0);
  if (isWithin && !line.subarray(STAMP_BYTES, begin).equals(CUT)) throw new Error('a piece without its mark');
  const isPiece =
    line.length - begin >= PIECE_BYTES - 3 + CUT.length && line.subarray(-CUT.length).equals(CUT);
  return { text: line.subarray(begin, isPiece ? -CUT.length : undefined), isPiece };
}
