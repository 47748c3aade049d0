import { checkRows } from './keys/check.ts';
import { LIVE_ENDS } from './keys/live-ends.ts';
import { LIVE_FLEET } from './keys/live-fleet.ts';
import { LIVE_HEALTH } from './keys/live-health.ts';
import { LIVE_LOGS } from './keys/live-logs.ts';
import { LIVE_ROLLOUT } from './keys/live-rollout.ts';

checkRows('what does not belong to a run', [
  ...LIVE_FLEET,
  ...LIVE_ROLLOUT,
  ...LIVE_ENDS,
  ...LIVE_HEALTH,
  ...LIVE_LOGS,
]);
