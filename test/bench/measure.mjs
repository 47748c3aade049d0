/** Clocks, medians and what /proc knows of a process. */
import { readdirSync, readFileSync } from 'node:fs';

export const now = () => process.hrtime.bigint();
export const msBetween = (from, to) => Number(to - from) / 1e6;
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[Math.floor(sorted.length / 2)];
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

export async function waitFor(what, isSo, timeoutMs = 60_000, everyMs = 20) {
  const deadline = now() + BigInt(timeoutMs) * 1_000_000n;
  while (!isSo()) {
    if (now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await pause(everyMs);
  }
}

/** Milliseconds on a processor, of all threads: finer than the hundredths of a second in /proc/PID/stat. */
export function cpuMs(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ns = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return ns.reduce((a, b) => a + b, 0) / 1e6;
}

/** KiB: the whole of it, and what it has for itself. */
export function memory(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(text)?.[1] ?? 0);
  return { rss: field('VmRSS'), anon: field('RssAnon') };
}

/** Living processes that bear the mark in their environment. */
export function marked(mark) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && bears(name, mark))
    .map(Number);
}

function bears(pid, mark) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
  } catch {
    return false; // it has ended, or it is none of ours
  }
}

/** Ends them one by one, by pid, until none is left. */
export async function endMarked(mark) {
  for (let left = marked(mark); left.length > 0; left = marked(mark)) {
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended meanwhile
      }
    }
    await pause(50);
  }
}
