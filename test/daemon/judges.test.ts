/** The user's own check of a turn: asked once, answered once, and not at all once nobody wants to know. */
import { describe, expect, it } from 'vitest';
import { rolloutId, run } from '../../src/base/ids.ts';
import { ok } from '../../src/base/result.ts';
import type { FleetEffect } from '../../src/core/fleet/effect.ts';
import { newInstance } from '../../src/core/instance/instance.ts';
import type { Check } from '../../src/core/plan.ts';
import { Judges } from '../../src/daemon/judges.ts';
import type { CommandRequest, CommandResult } from '../../src/ports/processes.ts';
import { at, PROGRAM, program, worker } from '../core/rig.ts';

interface Asked {
  readonly check: Check;
  readonly as: Omit<CommandRequest, 'command'>;
  readonly answer: (result: CommandResult) => void;
  cancelled: boolean;
}

function bench(user: string | null = null) {
  const asked: Asked[] = [];
  const answers: string[] = [];
  const judges = new Judges({
    checks: {
      ask(check, as, _since, answer) {
        const one: Asked = { check, as, answer, cancelled: false };
        asked.push(one);
        return () => {
          one.cancelled = true;
        };
      },
    },
    surroundings: {
      environment: { TSUP_VISOR_TURN: 'of the daemon itself' },
      logPath: () => null,
      credentials: (name) =>
        name === 'nobody' ? { ok: false, error: { stage: 'user', message: 'there is no nobody' } } : ok(null),
      readEnvFiles: () => ok({}),
    },
    judged: (rollout, attempt, { ok: yes, detail }) =>
      void answers.push(`${rollout}/${attempt}: ${yes} ${detail}`),
  });
  const life = {
    run: run(4),
    program: program({ user }),
    generation: 1,
    because: 'start',
    startedAt: at(0),
  } as const;
  const instance = newInstance(worker(2), 2, PROGRAM, { want: 'up', because: 'start' });
  const judge = (check: Check, attempt = 1): Extract<FleetEffect, { type: 'judge' }> => ({
    type: 'judge',
    rollout: rolloutId(7),
    attempt,
    plan: { check, timeoutMs: 300 },
    life,
    instance,
  });
  return { judges, asked, answers, judge };
}

const COMMAND: Check = { kind: 'exec', command: ['check', '{{index}}'] };

describe('a check of a turn', () => {
  it('by a command is run with the limit of the plan, its templates filled in', () => {
    const { judges, asked, judge } = bench();
    judges.begin(judge(COMMAND), undefined);
    expect(asked[0]).toMatchObject({
      check: { kind: 'exec', command: ['check', '2'] },
      as: { timeoutMs: 300, environment: { TSUP_VISOR_INSTANCE: 'worker:2', TSUP_VISOR_HOOK: 'rollout' } },
    });
    expect(asked[0]?.as.environment, 'what a daemon was started with is not meant for it').not.toHaveProperty(
      'TSUP_VISOR_TURN',
    );
  });

  it('is answered once', () => {
    const { judges, asked, answers, judge } = bench();
    judges.begin(judge({ kind: 'tcp', host: 'x', port: '1' }), undefined);
    asked[0]?.answer({ ok: false, detail: 'refused' });
    asked[0]?.answer({ ok: true, detail: 'again' });
    expect(answers).toEqual(['7/1: false refused']);
    expect(judges.size).toBe(0);
  });

  it('that cannot be begun is a no', async () => {
    const { judges, answers, judge } = bench('nobody');
    judges.begin(judge(COMMAND), undefined);
    expect(answers, 'never within the call').toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toEqual(['7/1: false cannot ask: there is no nobody']);
  });

  it('that nobody wants to know any more is ended, and the next one is another', () => {
    const { judges, asked, answers, judge } = bench();
    judges.begin(judge(COMMAND, 1), undefined);
    judges.end(rolloutId(7), 1);
    judges.begin(judge(COMMAND, 2), undefined);
    asked[0]?.answer({ ok: true, detail: 'late' });
    expect(asked.map(({ cancelled }) => cancelled)).toEqual([true, false]);
    asked[1]?.answer({ ok: true, detail: 'fine' });
    expect(answers).toEqual(['7/2: true fine']);
  });

  it('ends with the daemon, and nobody is told', () => {
    const { judges, asked, answers, judge } = bench();
    judges.begin(judge(COMMAND), undefined);
    judges.close();
    asked[0]?.answer({ ok: true, detail: 'late' });
    expect(asked[0]?.cancelled).toBe(true);
    expect(answers).toEqual([]);
  });
});
