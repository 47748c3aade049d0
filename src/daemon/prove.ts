/** What a version of the daemon tries before it may take over: to read the config and the state of the one that runs. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Moment } from '../base/clock.ts';
import { BUILD, VERSION } from '../base/version.ts';
import { loadConfig } from '../config/load.ts';
import { reportMistakes } from '../config/report.ts';
import type { World } from '../config/where.ts';
import { createFleet } from '../core/fleet/fleet.ts';
import type { Plan } from '../core/plan.ts';
import { underWay } from './adopt.ts';
import { bootName } from './boot.ts';
import { RolloutHistory } from './history.ts';
import { Journal } from './journal.ts';
import { readJournalText } from './journal-text.ts';
import { KeptPlans } from './kept-plans.ts';
import { PlanShelf } from './plan-shelf.ts';
import type { Proof } from './proof.ts';
import { readMemory } from './remembered.ts';

/** Touches nothing: what it reads of the state is a copy. */
export function prove(configFile: string, world: World, inPlace: boolean, now: Moment): Proof {
  const loaded = loadConfig(configFile, world);
  if (!loaded.ok) {
    return { ok: false, kind: 'config_invalid', message: reportMistakes(configFile, loaded.error) };
  }
  const problem = whyUnreadable(loaded.value.plan, now);
  if (problem !== null) return { ok: false, kind: 'unfit', message: problem };
  return { ok: true, version: VERSION, build: BUILD, node: process.version, inPlace };
}

function whyUnreadable(plan: Plan, now: Moment): string | null {
  const folder = mkdtempSync(join(plan.runDir, '.proof-'));
  try {
    const journal = join(plan.stateDir, 'journal');
    const copy = join(folder, 'journal');
    if (existsSync(journal)) copyFileSync(journal, copy);
    return whyUnreadableIn(copy, plan, now);
  } catch (error) {
    return `cannot read the state in ${plan.stateDir}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As a new daemon does it. What that would pass over with a warning, or without one, is a reason not to begin. */
function whyUnreadableIn(path: string, plan: Plan, now: Moment): string | null {
  const { laterFormat = null, faults = [] } = readJournalText(path) ?? {};
  if (laterFormat !== null) return `the state is of a later version (format ${laterFormat})`;
  const complaints = faults.map((fault) => `of the journal, ${fault}`);
  const warn = (text: string): void => void complaints.push(text);
  const journal = new Journal(path, warn);
  try {
    const runs = [...journal.under('run/')].length;
    const calm = new KeptPlans(journal, new PlanShelf(journal)).applyTo(plan);
    const { memory } = readMemory(journal, calm, now, { boot: bootName(), warn });
    new RolloutHistory(journal);
    createFleet(underWay(calm, memory.rollouts), memory);
    if (memory.alive.size < runs)
      complaints.push(`${runs - memory.alive.size} of ${runs} runs cannot be read`);
    return complaints[0] ?? null;
  } finally {
    journal.close();
  }
}
