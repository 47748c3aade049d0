/** Says in plain words why there is no connection. */
import { errorCode, explain } from './system-error.ts';

export function cannotConnect(host: string, port: number, error: unknown): string {
  const reason = reasonOf(error);
  const code = errorCode(reason);
  if (code === 'ENOTFOUND') return `cannot connect to ${host}: there is no such host`;
  if (code === 'EAI_AGAIN') return `cannot connect to ${host}: its address cannot be looked up just now`;
  return `cannot connect to ${placeOf(host, port)}: ${explain(reason)}`;
}

export const placeOf = (host: string, port: number): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** A name may have several addresses, each with a failure of its own: the first says enough. */
export function reasonOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
}
