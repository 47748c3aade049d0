/** Who can restart a fleet one after the other, and how people do that with each of them. */
import { Daemontools, Pm2, Runit, Supervisord, TsupVisor } from './contenders.mjs';

/**
 * Each is a contender and the command that replaces all `count` of its workers. `place(name)` gives what every
 * contender is made of; `pm2`: says where it is installed. `isAside`: for its overhead alone.
 */
export function rollers(count, place, pm2) {
  return [
    ours('tsup-visor', place, { max_parallel: 1 }),
    ours('tsup-visor, max_parallel: 2', place, { max_parallel: 2 }),
    ours('tsup-visor, max_surge: 1', place, { max_surge: 1 }),
    { ...ours('tsup-visor, min_healthy_time: 100ms', place, {}, 100), isAside: true },
    ...(Daemontools.exists() ? [daemontools(place)] : []),
    ...(Runit.exists() ? [runit(place)] : []),
    ...(Supervisord.exists() ? [supervisorGroup(place), supervisorLoop(count, place)] : []),
    { name: 'pm2 reload', make: () => reloading(place, pm2()) },
  ];
}

function ours(name, place, rollout, healthyMs = 0) {
  const make = () => {
    const contender = new TsupVisor(...place(name.replaceAll(/\W+/g, '-')));
    const policy = { min_healthy_time: `${healthyMs}ms`, ...rollout };
    contender.keys = ['ready: { when: notify }', `rollout: ${JSON.stringify(policy)}`];
    const [node, [bin, c, file]] = contender.status;
    return { contender, command: [node, [bin, c, file, 'rolling-restart', 'worker']] };
  };
  return { name, make, healthyMs, isOurs: true, isOneByOne: rollout.max_parallel !== 2 };
}

/** It knows no "and wait until there is a new one", so its pid is asked for until it is another. */
function daemontools(place) {
  const make = () => {
    const contender = new Daemontools(...place('daemontools'));
    const script = `for s in ${contender.services}/*; do
  was=$(svstat "$s"); was=\${was#*(pid }; was=\${was%%)*}
  svc -t "$s"
  while case $(svstat "$s") in *"up (pid $was)"*) true;; *"up (pid "*) false;; esac; do sleep 0.01; done
done`;
    return { contender, command: ['sh', ['-c', script]] };
  };
  return { name: 'a loop over svc -t', make };
}

function runit(place) {
  const make = () => {
    const contender = new Runit(...place('runit'));
    const script = `for s in ${contender.services}/*; do sv restart "$s" || exit; done`;
    return { contender, command: ['sh', ['-c', script]] };
  };
  return { name: 'a loop over sv restart', make };
}

function supervisord(place, folder) {
  const contender = new Supervisord(...place(folder));
  contender.startSeconds = 1; // as it is when nothing is said
  return contender;
}

function supervisorGroup(place) {
  const make = () => {
    const contender = supervisord(place, 'supervisor-group');
    return { contender, command: ['supervisorctl', ['-c', contender.config, 'restart', 'worker:*']] };
  };
  return { name: 'supervisorctl restart worker:*', make };
}

function supervisorLoop(count, place) {
  const make = () => {
    const contender = supervisord(place, 'supervisor-loop');
    const numbers = Array.from({ length: count }, (_, n) => n).join(' ');
    const script = `for n in ${numbers}; do supervisorctl -c ${contender.config} restart worker:$n || exit; done`;
    return { contender, command: ['sh', ['-c', script]] };
  };
  return { name: 'a loop over supervisorctl restart', make };
}

function reloading(place, bin) {
  const contender = new Pm2(...place('pm2-reload'), bin);
  return { contender, command: [process.execPath, [bin, 'reload', 'worker']] };
}
