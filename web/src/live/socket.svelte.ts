/** The page's one WebSocket: connects, detects dead connections, and reconnects with backoff. */

import { createContext } from "svelte";

import { NOT_SIGNED_IN } from "../api/limits.ts";
import type { ServerMessage } from "../api/types.ts";
import { backoffDelay, sleep } from "../lib/backoff.ts";
import type { EventRecorder } from "./event-recorder.ts";

const PING_EVERY_MS = 20_000;
const PONG_TIMEOUT_MS = 8_000;
const RESTARTING = 1012;

export type SocketState = "connecting" | "open" | "waiting";

export interface SocketHandlers {
  /** Cursor of the newest change the page has applied; null before the first load. */
  since: () => number | null;
  message: (message: ServerMessage) => void;
  signedOut: () => void;
}

export class LiveSocket {
  state = $state<SocketState>("connecting");
  #online = $state(navigator.onLine);
  #recorder: EventRecorder;
  #handlers: SocketHandlers;
  #stopped = new AbortController();

  constructor(recorder: EventRecorder, handlers: SocketHandlers) {
    this.#recorder = recorder;
    this.#handlers = handlers;
  }

  /** Whether the server can be reached, and if not, whether that is because the device is offline. */
  get reach(): "live" | "waiting" | "offline" {
    if (!this.#online) return "offline";
    return this.state === "open" ? "live" : "waiting";
  }

  /** Runs until `stop`, or until the server closes the connection because nobody is signed in. */
  async run(): Promise<void> {
    const signal = this.#stopped.signal;
    for (const change of ["online", "offline"])
      addEventListener(change, () => (this.#online = navigator.onLine), { signal });
    let failures = 0;
    while (!signal.aborted) {
      this.state = failures === 0 ? "connecting" : "waiting";
      const { code, opened } = await this.#connection(signal);
      if (signal.aborted) return;
      if (code === NOT_SIGNED_IN) return this.#handlers.signedOut();
      this.#recorder.record("ws", "closed", JSON.stringify({ code }));
      failures = opened ? 0 : failures + 1;
      this.state = "waiting";
      if (code === RESTARTING && opened) continue;
      await sleep(backoffDelay(failures), signal);
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** One connection; resolves with its close code. */
  #connection(signal: AbortSignal): Promise<{ code: number; opened: boolean }> {
    return new Promise((resolve) => {
      const since = this.#handlers.since();
      const socket = new WebSocket(`/ws${since === null ? "" : `?since=${since}`}`);
      const heartbeat = new Heartbeat(
        () => this.#ping(socket),
        () => finish(1006),
      );
      let opened = false;
      const close = () => socket.close(1000);
      const finish = (code: number) => {
        heartbeat.stop();
        signal.removeEventListener("abort", close);
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        resolve({ code, opened });
      };
      signal.addEventListener("abort", close);
      socket.onopen = () => {
        opened = true;
        this.state = "open";
        heartbeat.start();
      };
      socket.onmessage = (event: MessageEvent<string>) => {
        heartbeat.received();
        this.#receive(event.data);
      };
      socket.onclose = (event) => finish(event.code);
    });
  }

  #ping(socket: WebSocket): void {
    const text = JSON.stringify({ type: "ping" });
    this.#recorder.record("ws ↑", "ping", text);
    socket.send(text);
  }

  #receive(text: string): void {
    let message: ServerMessage;
    try {
      message = JSON.parse(text) as ServerMessage;
    } catch {
      return;
    }
    this.#recorder.record("ws", message.type, text);
    this.#handlers.message(message);
  }
}

/** Sends a ping when nothing was received for a while, and calls `onDead` if nothing is received after it either. */
class Heartbeat {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sendPing: () => void;
  #onDead: () => void;

  constructor(sendPing: () => void, onDead: () => void) {
    this.#sendPing = sendPing;
    this.#onDead = onDead;
  }

  start(): void {
    this.#restartTimer();
    document.addEventListener("visibilitychange", this.#checkIfVisible);
    addEventListener("online", this.#checkIfVisible);
  }

  received(): void {
    this.#restartTimer();
  }

  stop(): void {
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#checkIfVisible);
    removeEventListener("online", this.#checkIfVisible);
  }

  // after a laptop wakes up its socket looks open but may be dead: check at once
  #checkIfVisible = () => {
    if (document.visibilityState === "visible") this.#check();
  };

  #restartTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), PING_EVERY_MS);
  }

  #check(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onDead, PONG_TIMEOUT_MS);
    this.#sendPing();
  }
}

/** The page's WebSocket. */
export const [getSocket, setSocket] = createContext<LiveSocket>();
