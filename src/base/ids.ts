/** Branded names, so that an instance, a run and a pid cannot be taken for each other. */
declare const brand: unique symbol;
type Brand<T, Name> = T & { readonly [brand]: Name };

/** The name of a program as the config has it: `worker`. */
export type ProgramName = Brand<string, 'ProgramName'>;
/** A slot of a program: `worker:2`. Its number never changes its meaning. */
export type InstanceId = Brand<string, 'InstanceId'>;
/** One life of one instance. Never used again, not even by the next daemon. */
export type Run = Brand<number, 'Run'>;
/** A process id, valid only as long as its run is. */
export type Pid = Brand<number, 'Pid'>;
/** A short digest of everything that decides how a program runs. */
export type Revision = Brand<string, 'Revision'>;
/** The number of a rollout, counted from 1 for the whole life of a state folder. */
export type RolloutId = Brand<number, 'RolloutId'>;

// A brand exists for the compiler alone, so these casts are where one is given.
export const programName = (text: string): ProgramName => text as ProgramName;
export const run = (n: number): Run => n as Run;
export const pid = (n: number): Pid => n as Pid;
export const revision = (text: string): Revision => text as Revision;
export const rolloutId = (n: number): RolloutId => n as RolloutId;
export const instanceId = (program: ProgramName, index: number): InstanceId =>
  `${program}:${index}` as InstanceId;
