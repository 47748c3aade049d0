/** The commands that begin rolling restarts and steer them, with their options. */
import type { Command } from 'commander';
import type { Act, CommandDefinition } from './command-definition.ts';
import { canary, instances, parallel, reason, TIMEOUT } from './option-values.ts';

const REASON = ['--reason <TEXT>', 'why, in a few words: kept in "rollout history"', reason] as const;
const PARALLEL = [
  '--parallel',
  'several programs all at once; else one after the other, what others depend on first',
] as const;

const EXITS = `
Exit code: 0 all succeeded, 1 one has paused, failed, was aborted or reverted, 7 --timeout has passed
and the work goes on, 130 Ctrl-C`;

export const ROLLING_COMMANDS: readonly CommandDefinition[] = [
  {
    name: 'rolling-restart',
    does: 'restart one instance after another, each when the one before is whole again',
    define: (command, act) =>
      command
        .argument('<SELECTOR...>')
        .option('--detach', 'do not watch')
        .option('--dry-run', 'say what it would do, in which order, and how long that would take')
        .option('--max-parallel <N>', 'how many may be away at once: a number or a percentage', parallel)
        .option('--canary <N>', 'so many first, then a hold: a number or a percentage; 0 is none', canary)
        .option('--instances <NUMBERS>', 'only these of each program, such as 0-3 or 0,2,5-7', instances)
        .option(...PARALLEL)
        .option('--replace', 'take the place of one that is under way, instead of joining or being refused')
        .option(...REASON)
        .option('--keep-config', 'keep the config that they run with')
        .option(...TIMEOUT)
        .addHelpText('after', `${EXITS}, 6 another one is in the way`)
        .action((selectors, options) =>
          act(async (context) =>
            (await import('./commands/rolling-restart.ts')).rollingRestart(context, selectors, options),
          ),
        ),
  },
  { name: 'rollout', does: 'look at rolling restarts and steer them', define: rollout },
  {
    name: 'reload',
    does: 'take the config as it stands now: say what that changes, then apply it, by rolling restarts where need be',
    define: (command, act) =>
      command
        .option('--dry-run', 'say what it would change')
        .option('--detach', 'do not watch')
        .option(...PARALLEL)
        .option(...REASON)
        .option(...TIMEOUT)
        .action((options) =>
          act(async (context) => (await import('./commands/reload.ts')).reload(context, options)),
        ),
  },
];

/** The commands of `rollout`, and the word for help. */
export const ROLLOUT_PARTS: readonly string[] = [
  'status',
  'pause',
  'resume',
  'promote',
  'abort',
  'revert',
  'history',
  'wait',
  'help',
];

const WHICH = '[PROGRAM|ID]';

const STEERING = [
  ['pause', 'take no further instance until it is resumed'],
  ['resume', 'go on; what has failed is tried again, with the config that the rollout began with'],
  ['promote', 'the canary is well: go on with the others now, whatever hold the config has'],
] as const;

const ENDING = [
  ['abort', 'end it; what has been restarted stays so, what has failed gets back what it ran before'],
  [
    'revert',
    'go back to the last revision that was whole, under the same gates; one that is over by a rollout of its own',
  ],
] as const;

function rollout(command: Command, act: Act): void {
  command
    .command(`status ${WHICH}`)
    .description('how they stand: who, why, since when, until when, each turn')
    .action((which) =>
      act(async (context) => (await import('./commands/rollout.ts')).rolloutStatus(context, which)),
    );
  for (const [verb, does] of STEERING) {
    command
      .command(`${verb} ${WHICH}`)
      .description(does)
      .action((which) =>
        act(async (context) => (await import('./commands/steer.ts')).steer(context, verb, which)),
      );
  }
  for (const [verb, does] of ENDING) {
    command
      .command(`${verb} ${WHICH}`)
      .description(does)
      .option(...REASON)
      .action((which, options) =>
        act(async (context) => (await import('./commands/steer.ts'))[verb](context, which, options)),
      );
  }
  command
    .command(`history ${WHICH}`)
    .description('who, when, why, how long and how it ended, with its drains; by number each turn')
    .action((which) =>
      act(async (context) => (await import('./commands/history.ts')).history(context, which)),
    );
  command
    .command(`wait ${WHICH}`)
    .description('say nothing until it is over, then how it ended: exit code 0 when it succeeded')
    .option(...TIMEOUT)
    .addHelpText('after', EXITS)
    .action((which, options) =>
      act(async (context) => (await import('./commands/rollout-wait.ts')).wait(context, which, options)),
    );
}
