/** A table for the terminal; the second column of the row of ours, if there is one, is what the others are compared with. */
export function print(title, rows) {
  console.log(`\n${title}`);
  if (rows.length === 0) return console.log('  nothing was measured');
  const [, first] = Object.keys(rows[0]);
  const ours = rows.find((row) => row.name === 'tsup-visor')?.[first];
  const compared = (row) => (ours === 0 ? '' : `${(row[first] / ours).toFixed(2)}x`);
  const shown = ours === undefined ? rows : rows.map((row) => ({ ...row, 'of ours': compared(row) }));
  const keys = Object.keys(shown[0]);
  const lines = [
    keys.map((key) => (key === 'name' ? '' : key)),
    ...shown.map((row) => keys.map((key) => text(row[key]))),
  ];
  const widths = keys.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    console.log(
      `  ${line.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]) : cell.padStart(widths[n]))).join('  ')}`,
    );
  }
}

const text = (value) => (typeof value === 'number' ? value.toFixed(value < 100 ? 1 : 0) : value);
