/** A daemon, put together: lock, memory, hands, loop, server. The only place in this room that knows `os/`. */
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceId, Run } from '../base/ids.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { VERSION } from '../base/version.ts';
import { loadConfig } from '../config/load.ts';
import { reportMistakes } from '../config/report.ts';
import { socketIn, type World } from '../config/where.ts';
import type { FleetEvent } from '../core/fleet/event.ts';
import { bodyOf, type How } from '../core/instance/phase.ts';
import type { Plan, ProgramPlan } from '../core/plan.ts';
import { createLineWatch } from '../logs/line-watch.ts';
import { logPathIn } from '../logs/log-path.ts';
import { createChecks } from '../os/checks.ts';
import { now } from '../os/clock.ts';
import { connectionsFor, descriptorLimit } from '../os/descriptors.ts';
import { leadErrors } from '../os/errors.ts';
import { disclaim, inherit as heirloom, type Seat, takeSeat } from '../os/heirlooms.ts';
import { leftIn } from '../os/left-in.ts';
import { loadLibc } from '../os/libc.ts';
import { acquireLock } from '../os/lock.ts';
import { openLog, openOutput } from '../os/output.ts';
import { openOwnSupervisor } from '../os/own-supervisor.ts';
import { askOwnUnit } from '../os/own-unit.ts';
import { createPeers, isOwn, peerUid } from '../os/peers.ts';
import { createPlumbing } from '../os/plumbing.ts';
import { createProcesses } from '../os/processes.ts';
import { createSuccession } from '../os/succession.ts';
import type { WireEvent } from '../protocol/events.ts';
import type { LogsReply } from '../protocol/replies.ts';
import type { DaemonStatus } from '../protocol/status.ts';
import { Api } from './api.ts';
import { AskFile, readAskList } from './ask-list.ts';
import { bootName } from './boot.ts';
import { CODE } from './compiled.ts';
import { Door } from './door.ts';
import { readEnvFiles } from './env-file.ts';
import { EventFile } from './event-file.ts';
import { eventsPath } from './event-history.ts';
import { makeFolders } from './folders.ts';
import { Footing } from './footing.ts';
import { Herald } from './herald.ts';
import { RolloutHistory } from './history.ts';
import { type Hold, takeFolders, takeHold } from './hold.ts';
import { inherit, takeUp } from './inheritance.ts';
import { Journal } from './journal.ts';
import { KeptPlans } from './kept-plans.ts';
import { forgetFault, leaveFault } from './last-fault.ts';
import { leaveLastWord, takeBackLastWord } from './last-word.ts';
import { tellOfLogs } from './log-news.ts';
import { reopenedText } from './log-wishes.ts';
import { Loop } from './loop.ts';
import { MemoryKeeper } from './memory.ts';
import { NewsDesk } from './news.ts';
import { OuterLimits } from './outer-limits.ts';
import { createOutput } from './output.ts';
import { OwnLog } from './own-log.ts';
import { perform } from './perform.ts';
import { PlanShelf } from './plan-shelf.ts';
import { type Heard, processEvents } from './process-events.ts';
import type { Proof } from './proof.ts';
import { prove } from './prove.ts';
import { forgetPlans } from './remembered.ts';
import { createSenses } from './senses.ts';
import { kept as keptText, tookOver as tookOverText } from './sentence.ts';
import { createApiServer, type ServerParts } from './server.ts';
import type { Surroundings } from './spawn-request.ts';
import { steadyClock } from './steady-clock.ts';
import { Timers } from './timers.ts';
import { Turnstile } from './turnstile.ts';
import { unheard } from './unheard.ts';
import { type Target, Upgrades } from './upgrade.ts';
import { Visitors } from './visitors.ts';
import { Waiters } from './waiters.ts';
import { Warnings } from './warnings.ts';

export interface DaemonOptions {
  readonly configFile: string;
  /** Where the config says otherwise. */
  readonly socket: string | undefined;
  /** Gets each line of the daemon's own log as well. */
  readonly echo: ((text: string) => void) | null;
  /** The command line of the daemon that is to take over from this one; without it none ever does. */
  readonly nextCommand?: (target: Target) => readonly string[];
  /** Whoever has started this process is told how it is, where that wants to hear it (sd_notify). */
  readonly reports?: boolean;
}

export interface PrivateOptions {
  /** Gets all that the instances report, word by word: the fleet keeps only what it needs of that. */
  readonly heard: Heard;
}

type RaiseOptions = Pick<DaemonOptions, 'echo' | 'nextCommand' | 'reports'> & Partial<PrivateOptions>;

export interface Unstarted {
  /** `state_locked`, `config_taken`: by a daemon with another run_dir, which does not answer at our socket. */
  readonly kind: 'config_invalid' | 'locked' | 'state_locked' | 'config_taken' | 'failed';
  readonly message: string;
}

export interface Daemon {
  readonly plan: Plan;
  /** Instances of an earlier daemon that it found at work. */
  readonly tookOver: readonly InstanceId[];
  /** It was another version of itself before, in this very process. */
  readonly tookTheSeat: boolean;
  /** Resolves when everything is down and everything is closed: with what made it end, if that was a fault. */
  readonly ended: Promise<string | null>;
  start(selectors: readonly string[]): Promise<void>;
  /** What was to be begun has been: whoever started this daemon may be told that it is in charge. */
  ready(): void;
  shutDown(how: How): void;
  /** Somebody has put log files aside, of instances or our own: what comes goes to what is at their paths now. */
  reopenLogs(): void;
  /** What Node says on stderr when it cannot go on is in the daemon's own log from now on. */
  keepErrors(): void;
  /** Ends the daemon alone: what runs goes on, and the next daemon takes it up. */
  leave(): void;
  follow(listener: (event: WireEvent) => void): void;
  /** What all instances that there are write to. */
  logFiles(): LogsReply['files'];
}

/** Starts no instance by itself: that is `start`'s to do. */
export async function createDaemon(options: DaemonOptions): Promise<Result<Daemon, Unstarted>> {
  const seat = takeSeat(loadLibc(), process.env);
  const world = theWorld();
  const loaded = loadConfig(options.configFile, world);
  if (!loaded.ok) {
    return fail({ kind: 'config_invalid', message: reportMistakes(options.configFile, loaded.error) });
  }
  const { plan } = loaded.value;
  const socket = options.socket ?? socketIn(plan.runDir);
  return raise(plan, options, world, () => takeHold(plan, socket, world, acquireLock, leftIn), seat);
}

/** One that is nobody's but the caller's: with a plan that is not its file's, and without a claim to that file. */
export function createPrivateDaemon(plan: Plan, options: PrivateOptions): Promise<Result<Daemon, Unstarted>> {
  const socket = socketIn(plan.runDir);
  return raise(plan, { ...options, echo: null }, theWorld(), () => takeFolders(plan, socket, acquireLock));
}

/** Whether this version could take over from the daemon that runs with this config. */
export const proveDaemon = (configFile: string): Proof =>
  prove(configFile, theWorld(), loadLibc() !== null, now());

type TakeHold = () => Result<Hold, Unstarted> | Promise<Result<Hold, Unstarted>>;

async function raise(
  plan: Plan,
  options: RaiseOptions,
  world: World,
  takeHold: TakeHold,
  seat: Seat | null = null,
): Promise<Result<Daemon, Unstarted>> {
  const folders = makeFolders(plan);
  if (!folders.ok) return fail({ kind: 'failed', message: folders.error });
  let hold: Result<Hold, Unstarted> | undefined;
  try {
    hold = await takeHold();
    if (!hold.ok) return hold;
    return ok(await assemble(plan, hold.value, options, world, seat));
  } catch (error) {
    if (hold?.ok) hold.value.release();
    return fail({ kind: 'failed', message: `cannot start the daemon: ${reasonOf(error)}` });
  }
}

async function assemble(
  filed: Plan,
  hold: Hold,
  options: RaiseOptions,
  world: World,
  seat: Seat | null,
): Promise<Daemon> {
  const clock = { now };
  const { socket } = hold;
  const ownLog = new OwnLog(filed.logDir, filed.ownLog, options.echo);
  const warnings = new Warnings((text) => ownLog.say(text, 'warn'));
  const warn = (text: string): void => warnings.add(text);
  if (hold.warning !== null) warn(hold.warning);
  const journal = new Journal(join(filed.stateDir, 'journal'), warn, (text) => ownLog.sayNow(text, 'warn'));
  const shelf = new PlanShelf(journal);
  const kept = new KeptPlans(journal, shelf);
  const history = new RolloutHistory(journal);
  const news = new NewsDesk();
  const events = new EventFile(eventsPath(filed.stateDir), news, (text) => ownLog.say(text, 'warn'));
  const waiters = new Waiters();
  const logPath = logPathIn(filed.logDir);
  const born = clock.now();
  const { promise: ended, resolve: finish } = withResolvers<string | null>();

  let isClosed = false;
  // What is reported to a daemon that has ended is for the next one to find.
  const post = (event: FleetEvent): void => {
    if (!isClosed) loop.post(event);
  };
  const timers = new Timers(clock, (timer) => post({ type: 'due', timer }));
  const output = createOutput({
    plumbing: createPlumbing(),
    runDir: filed.runDir,
    logPath,
    openFile: openLog,
    openFiles: openOutput,
    say: (text) => ownLog.say(text, 'warn'),
    warn,
    changed: (change) => logNews(change),
  });
  const processes = createProcesses({
    runDir: filed.runDir,
    warn,
    events: output.before(processEvents(post, options.heard)),
    openOutput: output.open,
  });
  const boot = bootName();
  const steady = steadyClock(clock, journal, boot);
  const askFile = join(filed.runDir, 'asking');
  const doubts = readAskList(askFile);
  const askList = new AskFile(askFile);
  const inherited = inherit({ journal, shelf, kept, processes, boot, doubts, warn }, filed, steady.now());
  const { fleet, plan, identities, places } = inherited;
  for (const name of kept.applied) ownLog.say(keptText(name));
  if (inherited.isAnew) ownLog.say(ANEW);
  let current = plan;
  processes.expect([...fleet.instances.values()].flatMap(({ phase }) => bodyOf(phase)?.pid ?? []));
  const surroundings: Surroundings = {
    environment: { ...process.env }, // reading from process.env itself asks the system each time
    logPath,
    credentials: (user, group) => processes.credentials(user, group),
    readEnvFiles,
  };
  const lines = createLineWatch(warn);
  const turnstile = new Turnstile((request, done) => processes.execute(request, done));
  const senses = createSenses({
    processes,
    checks: createChecks(turnstile.execute),
    lines: output.under(lines),
    surroundings,
    clock,
    places,
    since: seat?.leftAt ?? null,
    post,
    log: (text) => ownLog.say(text),
  });
  const { hooks, watches, judges, scheduler } = senses;
  const memory = new MemoryKeeper(journal, fleet, steady, {
    // What an adopted leader was is still known when it has gone.
    identity: (run) => processes.identity(run) ?? identities.get(run) ?? null,
    places: watches.placesOf,
    configured: (name) => current.programs.find((program) => program.name === name)?.instances ?? null,
    boot,
    askList,
    history,
  });
  forgetPlans(journal, fleet);
  const logNews = tellOfLogs(news, clock, fleet, logPath);
  ownLog.changed = logNews;
  const defect = (error: unknown): void => {
    warn(`a defect of tsup-visor, please report it: ${error instanceof Error ? error.stack : String(error)}`);
    ownLog.flush();
  };
  const safely = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      defect(error);
    }
  };
  const supervisor = options.reports === true ? openOwnSupervisor(process.env, warn) : null;
  const herald = new Herald(supervisor, fleet);
  const outer = new OuterLimits(plan, supervisor !== null, (text) => ownLog.say(text));
  if (options.reports === true) askOwnUnit((unit) => outer.know(unit));
  const parts = {
    processes,
    timers,
    news,
    waiters,
    memory,
    hooks,
    watches,
    judges,
    fleet,
    surroundings,
    identities,
    output,
    goBackTo: (program: ProgramPlan) => goBackTo(program),
    log: (text: string) => ownLog.say(text),
    spawnFailed: (run: Run, stage: string, error: string) =>
      post({ type: 'spawn_failed', run, stage, error }),
    finish: (fault: string | null) => close(fault),
  };
  const loop = new Loop({
    fleet,
    clock,
    perform: (effect, now) => perform(effect, parts, now),
    secured: () => journal.flush(),
    signalling: (runs) => memory.signalling(runs),
    turn: (run) => askList.mark(run),
    signalled: () => memory.signalled(),
    settled: () => {
      journal.flush();
      events.flush();
      ownLog.flush();
      herald.look();
    },
    defect,
  });
  const describeDaemon = (): DaemonStatus => ({
    pid: process.pid,
    version: VERSION,
    name: plan.name,
    config: plan.configFile,
    state: fleet.mode.kind === 'running' ? 'running' : 'shutting_down',
    uptime_ms: Math.round(clock.now().mono - born.mono),
    tracking: processes.tracking,
    ...upgrades.state,
    warnings: [
      ...processes.warnings,
      ...output.warnings,
      ...kept.names.map(keptText),
      ...outer.warnings,
      ...unheard(fleet, (run) => processes.droppedMessages(run)),
      ...[journal, events, ownLog, footing, visitors].flatMap(({ trouble }) => trouble ?? []),
      ...warnings.recent,
    ],
  });
  const follow = (fresh: Plan): void => {
    current = fresh;
    ownLog.follow(fresh.ownLog);
    outer.follow(fresh);
    scheduler.follow(fresh.programs);
    output.follow(fresh.programs);
  };
  const take = (programs: readonly ProgramPlan[]): void => {
    const fresh = new Map(programs.map((program) => [program.name, program]));
    follow({
      ...current,
      programs: current.programs.map((program) => fresh.get(program.name) ?? program),
    });
  };
  /** How many there are, and whether they start by themselves, is the file's to say all the same. */
  const goBackTo = (back: ProgramPlan): void => {
    const own = current.programs.filter(({ name }) => name === back.name);
    take(own.map(({ instances, autostart }) => ({ ...back, instances, autostart })));
    kept.keep(back);
  };
  const api = new Api({
    fleet,
    clock,
    news,
    waiters,
    history,
    processes,
    world,
    output,
    ownLog,
    logPath,
    plan: () => current,
    adopt: (programs) => {
      take(programs);
      kept.follow(programs);
    },
    goBackTo,
    follow: (fresh) => {
      follow(fresh);
      kept.follow(fresh.programs);
      herald.reloaded();
    },
    nextRun: scheduler.nextOf,
    post,
    describeDaemon,
    unwritten: () => journal.trouble,
  });
  const peerOf = createPeers();
  const upgrade: ServerParts['upgrade'] = (body, connection) => upgrades.upgrade(body, connection);
  const visitors = new Visitors(connectionsFor(descriptorLimit()));
  const annals: ServerParts['annals'] = () => events.annals();
  const parlour = { api, news, annals, peerOf, visitors, upgrade, defect };
  const door = new Door(socket, plan.socketMode, () => createApiServer(parlour));
  const compiledIn = { [CODE]: join(filed.stateDir, 'code') };
  const upgrades = new Upgrades({
    fleet,
    news,
    waiters,
    door,
    kept,
    world,
    logPath: ownLog.path,
    environment: compiledIn,
    handovers: seat?.handovers ?? 0,
    plan: () => current,
    now: () => clock.now(),
    nextCommand: options.nextCommand ?? null,
    mayReplace: (connection) => isOwn(peerUid(connection)),
    underWay: () => processes.underWay,
    holdChecks: (held) => turnstile.hold(held),
    unwritten: () => journal.trouble,
    leave: () => {
      leaveLastWord(journal, fleet, clock.now());
      journal.flush();
      events.flush();
      ownLog.flush();
    },
    stay: () => takeBackLastWord(journal),
    log: (text) => ownLog.say(text),
    succession: createSuccession(loadLibc(), {
      server: () => door.server,
      socket,
      folder: filed.runDir,
      environment: compiledIn,
      errors: options.echo === null ? ownLog.path : null,
    }),
  });
  const uncaught = (error: unknown): void => defect(error);
  process.on('uncaughtException', uncaught);
  process.on('unhandledRejection', uncaught);

  const footing = new Footing(filed, { hold, door, journal, processes, log: ownLog });

  /** What is on its way into the logs is there when that resolves. */
  function closeParts(): Promise<void> {
    herald.close();
    timers.close();
    footing.close();
    senses.close();
    lines.close();
    processes.close();
    const carried = new Promise<void>((done) => output.close(done));
    journal.close();
    askList.close();
    events.close();
    ownLog.flush();
    ownLog.close();
    return carried;
  }

  function stopHearing(): void {
    process.off('uncaughtException', uncaught);
    process.off('unhandledRejection', uncaught);
  }

  function close(fault: string | null): void {
    isClosed = true;
    const why = fault === null ? {} : { fault };
    news.announce({ type: 'daemon', state: 'stopped', ...why }, clock.now());
    news.close();
    ownLog.say(
      `the daemon has ended${fault === null ? '' : `: ${fault}`}`,
      fault === null ? 'info' : 'error',
    );
    const carried = closeParts();
    if (fault !== null) leaveFault(socket, { at: new Date().toISOString(), fault, log: ownLog.path });
    door.close(async () => {
      await carried;
      stopHearing();
      hold.release();
      finish(fault);
    });
  }

  await door.open(seat === null ? null : heirloom(socket)).catch(async (error: unknown) => {
    await closeParts();
    stopHearing();
    throw error;
  });
  seat?.settle();
  forgetFault(socket);
  footing.begin();
  // Not before it is sure that there will be a daemon: whoever cannot stay has no business with the instances.
  safely(() => output.adopt(fleet.instances.values()));
  safely(() => output.follow(current.programs));
  const tookOver = takeUp(inherited, {
    processes,
    hold: (act) => loop.hold(act),
    post,
    perform: (effect) => perform(effect, parts, clock.now()),
    safely,
  });
  disclaim();
  scheduler.follow(plan.programs);
  ownLog.say(`the daemon has started (pid ${process.pid}, version ${VERSION}, config ${plan.configFile})`);
  const also = tookOver.length === 0 ? {} : { took_over: tookOver };
  if (tookOver.length > 0) ownLog.say(tookOverText(tookOver));
  news.announce({ type: 'daemon', state: 'started', ...also }, clock.now());
  events.flush();
  ownLog.flush();
  return {
    plan,
    tookOver,
    tookTheSeat: seat !== null,
    ended,
    start: async (selectors) => {
      await api.start({ selectors: [...selectors], wait: false }, new AbortController().signal);
    },
    ready: () => herald.ready(),
    shutDown: (how) => post({ type: 'shutdown', how, timeoutMs: current.shutdownTimeoutMs }),
    reopenLogs: () => safely(() => ownLog.sayNow(reopenedText(api.handleLogs('reopen', { selectors: [] })))),
    keepErrors: () => ownLog.accompany((path) => leadErrors(loadLibc(), path)),
    leave: () => close(null),
    follow: (listener) => {
      news.follow({ take: listener, end: () => {} });
    },
    logFiles: () => api.logs(new URLSearchParams()).files,
  };
}

const ANEW =
  'the machine or its container has been started anew: nothing of before runs, what is wanted is begun';

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve = (_: T): void => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const theWorld = (): World => ({
  environment: process.env,
  uid: process.getuid?.() ?? 0,
  home: homedir(),
  tmp: tmpdir(),
});

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
