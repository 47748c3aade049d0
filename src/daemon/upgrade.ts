/**
 * The daemon becomes another version of itself. Only what has proved that it can read config and state may take over;
 * then the door is shut, everybody who is in is answered, and the next one opens it again: it adopts what runs, as
 * after any daemon's end. Whatever goes wrong before that leaves all as it was.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Moment } from '../base/clock.ts';
import { BUILD, VERSION } from '../base/version.ts';
import type { World } from '../config/where.ts';
import type { Fleet } from '../core/fleet/fleet.ts';
import type { Plan } from '../core/plan.ts';
import type { UpgradeReply } from '../protocol/replies.ts';
import type { Checked } from '../protocol/requests.ts';
import { PROTOCOL_VERSION as version } from '../protocol/version.ts';
import type { Door } from './door.ts';
import type { KeptPlans } from './kept-plans.ts';
import type { NewsDesk } from './news.ts';
import { askForProof, type Proven } from './proof.ts';
import { Refused } from './refuse.ts';
import { readConfig } from './reload.ts';
import { unasked } from './unasked.ts';
import type { Waiters } from './waiters.ts';

/** What is to take over: absolute paths. */
export interface Target {
  readonly node: string;
  readonly daemon: string;
  readonly command: string;
}

export interface UpgradeParts {
  readonly fleet: Fleet;
  readonly news: NewsDesk;
  readonly waiters: Waiters;
  readonly door: Door;
  readonly kept: KeptPlans;
  readonly world: World;
  readonly logPath: string;
  /** What the next version is to have in its environment beside what we have. */
  readonly environment: Readonly<Record<string, string>>;
  /** How often that has been done already since the daemon was started. */
  readonly handovers: number;
  plan(): Plan;
  now(): Moment;
  /** The next daemon's command line; null: this daemon is not to be replaced. */
  readonly nextCommand: ((target: Target) => readonly string[]) | null;
  /** Whether whoever asks is the daemon's own user, or root. */
  mayReplace(connection: unknown): boolean;
  /** What would be cut off now, in words. */
  underWay(): readonly string[];
  /** No check by command is begun until `false` is said: they end on their own, and the next daemon asks anew. */
  holdChecks(held: boolean): void;
  /** What has not reached the disk, and why: the next daemon would not know it. Null: all has. */
  unwritten(): string | null;
  /** All that the next one has to know is written; and taken back, when there is none. */
  leave(): void;
  stay(): void;
  log(text: string): void;
  readonly succession: Succession;
}

/** How one program takes the place of another here. */
export interface Succession {
  /** Whether it can be done on this machine at all. */
  readonly isPossible: boolean;
  /** A second descriptor of the listening socket; null: cannot be had. */
  keepListening(): number | null;
  /** Returns only when it could not be done: why. */
  become(command: readonly string[], listener: number, words: Readonly<Record<string, unknown>>): string;
}

const PROOF_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 10;

export class Upgrades {
  readonly #parts: UpgradeParts;
  #isUnderWay = false;
  #failed: string | null = null;

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** For `status`. */
  get state(): { readonly handovers: number; readonly upgrade_failed?: string } {
    const { handovers } = this.#parts;
    return this.#failed === null ? { handovers } : { handovers, upgrade_failed: this.#failed };
  }

  /** Answers before anything is done. */
  async upgrade(body: Checked<'upgrade'>, connection: unknown): Promise<UpgradeReply> {
    const next = this.#refuseImpossible(connection);
    this.#isUnderWay = true;
    this.#failed = null;
    let goesOn = false;
    try {
      const { node, daemon, force, dry_run } = body;
      this.#refuseUnasked();
      this.#refuseUnwritten();
      const proven = await this.#proof(node, daemon);
      const isSame = proven.version === VERSION && proven.build === BUILD && proven.node === process.version;
      const already = isSame && !force;
      goesOn = !already && !dry_run;
      if (goesOn) await this.#untilQuiet(body.wait_ms);
      // After the reply has been handed over.
      if (goesOn) setImmediate(() => void this.#handOver(next(body), proven, body.wait_ms));
      return this.#reply(proven, already, dry_run);
    } catch (error) {
      goesOn = false;
      throw error;
    } finally {
      if (!goesOn) this.#end();
    }
  }

  #reply(proven: Proven, already: boolean, dry_run: boolean): UpgradeReply {
    const { handovers, logPath } = this.#parts;
    const next = already || dry_run ? handovers : handovers + 1;
    return {
      version,
      from: VERSION,
      to: proven.version,
      already,
      dry_run,
      in_place: true,
      handovers: next,
      log: logPath,
    };
  }

  #end(): void {
    this.#isUnderWay = false;
    this.#parts.holdChecks(false);
  }

  #refuseImpossible(connection: unknown): NonNullable<UpgradeParts['nextCommand']> {
    const { mayReplace, nextCommand, fleet, succession } = this.#parts;
    // First: without koffi it cannot be told who asks, either.
    if (!succession.isPossible) throw notInPlace('this daemon cannot load koffi');
    if (!mayReplace(connection)) {
      const who = 'only the user of the daemon may replace it, and root';
      throw new Refused('forbidden', `cannot upgrade: ${who}`, 'run the command as that user');
    }
    if (process.pid === 1) {
      throw new Refused(
        'conflict',
        'cannot upgrade the first process of a container: the image is its version',
        'start a container of the new image; what drains in this one is given its time when it is stopped',
      );
    }
    if (nextCommand === null) throw new Refused('conflict', 'this daemon is part of another program');
    if (fleet.mode.kind !== 'running') throw new Refused('shutting_down', 'the daemon is shutting down');
    if (this.#isUnderWay)
      throw new Refused(
        'conflict',
        'an upgrade is under way already',
        'see "tsup-visor status" when it is over',
      );
    return nextCommand;
  }

  /** The next daemon reads the file anew: an upgrade is not to apply what nobody has asked for. */
  #refuseUnasked(): void {
    const { plan, world, kept, fleet } = this.#parts;
    const changes = unasked(plan(), readConfig(plan().configFile, world), kept, fleet);
    if (changes.length === 0) return;
    throw new Refused(
      'conflict',
      `cannot upgrade: ${plan().configFile} has changes that are not applied yet, and the next daemon would run with them (${changes.join(', ')})`,
      'apply them first with "tsup-visor reload", or put the file back',
    );
  }

  #refuseUnwritten(): void {
    const trouble = this.#parts.unwritten();
    if (trouble === null) return;
    throw new Refused(
      'conflict',
      unwrittenText(trouble),
      'nothing was changed; try again when that is mended',
    );
  }

  async #proof(node: string, daemon: string): Promise<Proven> {
    const { configFile } = this.#parts.plan();
    // With the same flags as the daemon has: V8 takes no code that was compiled with others.
    const command = [node, ...process.execArgv, daemon, '--prove', '--config', configFile];
    const proof = await askForProof(command, this.#parts.environment, PROOF_WITHIN_MS);
    // Without its hands it could not read what those write that it would find at work.
    if (proof.ok && proof.value.inPlace) return proof.value;
    const { kind, message } = proof.ok ? HANDLESS : proof.error;
    throw new Refused(kind, `the installed version (${daemon}) ${message}`, 'nothing was changed');
  }

  /** A hook that is cut off is not run again, and a check that is cut off says nothing. */
  async #untilQuiet(waitMs: number): Promise<void> {
    const { underWay, holdChecks } = this.#parts;
    const giveUpAt = performance.now() + waitMs;
    holdChecks(true);
    for (let busy = underWay(); busy.length > 0; busy = underWay()) {
      if (performance.now() > giveUpAt) {
        throw new Refused(
          'conflict',
          `cannot upgrade now: ${busy.join(', ')} ${busy.length === 1 ? 'is' : 'are'} under way, and would be cut off`,
          'nothing was changed; try again when that is over',
        );
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** What has begun since it was quiet is waited for as well, with the door open. */
  async #handOver(command: readonly string[], to: Proven, waitMs: number): Promise<void> {
    const { log } = this.#parts;
    try {
      log(`the daemon hands over to version ${to.version} (${command.slice(0, 4).join(' ')})`);
      let why: string | null = null;
      while (why === null) {
        await this.#untilQuiet(waitMs);
        why = await this.#tryOnce(command, to);
      }
      this.#fail(why);
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    } finally {
      this.#end();
    }
  }

  /** Why it cannot be; null: something has begun meanwhile. In the good case there is nobody to return to. */
  async #tryOnce(command: readonly string[], to: Proven): Promise<string | null> {
    const { door, succession, news, waiters, underWay, fleet, handovers, now } = this.#parts;
    const listener = succession.keepListening();
    if (listener === null) return 'the listening socket cannot be kept open: too many open files';
    news.announce({ type: 'daemon', state: 'handing_over', to: to.version }, now());
    news.turnAway();
    waiters.giveUp(() => new Refused('handing_over', HANDING_OVER));
    await door.shut();
    let why: string | null = null;
    if (fleet.mode.kind !== 'running') why = 'the daemon is shutting down';
    else if (underWay().length === 0) {
      this.#parts.leave();
      const trouble = this.#parts.unwritten();
      const words = { from: VERSION, to: to.version, handovers: handovers + 1, leftAt: now().wall };
      why = trouble === null ? succession.become(command, listener, words) : unwrittenText(trouble);
      this.#parts.stay();
    }
    await door.unshut(listener);
    return why;
  }

  #fail(why: string): void {
    this.#failed = why;
    this.#parts.log(`the daemon goes on as it was: ${why}`);
  }
}

const HANDLESS = { kind: 'unfit', message: 'cannot take over: koffi cannot be loaded there' } as const;

const unwrittenText = (trouble: string): string =>
  `cannot upgrade: the next daemon would not know what is not written down: ${trouble}`;

/** The way around it is safe: the instances do not notice that either. */
const notInPlace = (why: string): Refused =>
  new Refused(
    'conflict',
    `cannot upgrade in place: ${why} here`,
    `"kill -KILL ${process.pid}" ends the daemon alone, and "tsup-visor start" of the new version takes up what runs`,
  );

const HANDING_OVER = 'the daemon is being replaced by its next version; what was asked for goes on';
