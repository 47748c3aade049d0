/** What systemd is to a daemon, as far as it listens: a datagram socket, and all that was said to it. */
import { closeSync } from 'node:fs';
import { loadLibc } from '../../src/os/libc.ts';

export interface OuterSupervisor {
  /** For NOTIFY_SOCKET. */
  readonly socket: string;
  /** Reads what has come so far. Each message is its lines. */
  readonly messages: () => readonly (readonly string[])[];
  /** All lines of all messages so far. */
  readonly words: () => readonly string[];
  close(): void;
}

/** Needs koffi: pure Node cannot receive datagrams. */
export const canListen = loadLibc() !== null;

/** `@name`: an abstract socket. */
export function listenAt(socket: string): OuterSupervisor {
  const libc = loadLibc();
  const bound = libc?.bindDatagram(socket);
  if (!libc || bound === undefined || 'errno' in bound) throw new Error(`cannot bind ${socket}`);
  const heard: string[][] = [];
  const buffer = Buffer.alloc(8192);
  const messages = () => {
    for (let length = libc.receive(bound.descriptor, buffer); length >= 0; ) {
      heard.push(buffer.toString('utf8', 0, length).split('\n'));
      length = libc.receive(bound.descriptor, buffer);
    }
    return heard;
  };
  return { socket, messages, words: () => messages().flat(), close: () => closeSync(bound.descriptor) };
}
