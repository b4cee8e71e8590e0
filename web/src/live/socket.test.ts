import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { ServerMessage } from "../api/types.ts";
import { LiveSocket } from "./socket.svelte.ts";

/** The client side of a connection; the test plays the server. */
class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  sent: string[] = [];
  closed = false;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.closed = true;
  }

  greet(): void {
    this.onopen?.();
    this.say({ type: "hello", cursor: 4, server_time: "" });
  }

  say(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  end(code: number): void {
    this.onclose?.({ code });
  }
}

const onMessage = vi.fn();
const signedOut = vi.fn();
let cursor: number | null;
let live: LiveSocket;
const newest = () => FakeSocket.all.at(-1) as FakeSocket;
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  onMessage.mockReset();
  signedOut.mockReset();
  cursor = 4;
  live = new LiveSocket({ record: () => undefined }, { since: () => cursor, message: onMessage, signedOut });
  void live.run();
});

afterEach(() => {
  live.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the live connection", () => {
  it("passes on the server's messages", () => {
    newest().greet();
    expect(live.state).toBe("open");
    expect(onMessage).toHaveBeenCalledWith({ type: "hello", cursor: 4, server_time: "" });
  });

  it("reconnects from the page's cursor", async () => {
    newest().greet();
    cursor = 9;
    newest().end(1006);
    expect(FakeSocket.all).toHaveLength(1);
    await wait(1000);
    expect(newest().url).toBe("/ws?since=9");
  });

  it("backs off while the server is unavailable, to at most 10 s", async () => {
    for (let i = 0; i < 8; i++) {
      newest().end(1006);
      await wait(10_000);
      expect(FakeSocket.all).toHaveLength(i + 2);
    }
    newest().end(1006);
    await wait(4_000);
    expect(FakeSocket.all).toHaveLength(9);
  });

  it("reconnects at once after a restart of the server, and when the network returns", async () => {
    newest().greet();
    newest().end(1012);
    await wait(0);
    expect(FakeSocket.all).toHaveLength(2);
    newest().end(1006);
    await wait(0);
    expect(FakeSocket.all).toHaveLength(2);
    dispatchEvent(new Event("online"));
    await wait(0);
    expect(FakeSocket.all).toHaveLength(3);
  });

  it("reconnects or pings at once when the page becomes visible", async () => {
    newest().end(1006);
    await wait(0);
    expect(FakeSocket.all).toHaveLength(1);
    document.dispatchEvent(new Event("visibilitychange"));
    await wait(0);
    expect(FakeSocket.all).toHaveLength(2);
    newest().greet();
    document.dispatchEvent(new Event("visibilitychange"));
    expect(newest().sent).toEqual(['{"type":"ping"}']);
  });

  it("does not reconnect when nobody is signed in", async () => {
    newest().greet();
    newest().end(4401);
    await wait(60_000);
    expect(signedOut).toHaveBeenCalledOnce();
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("pings when idle, and drops a connection that does not answer", async () => {
    newest().greet();
    await wait(20_000);
    expect(newest().sent).toEqual(['{"type":"ping"}']);
    newest().say({ type: "pong" });
    await wait(20_000);
    expect(newest().sent).toHaveLength(2);
    const silent = newest();
    await wait(9_000);
    expect(silent.closed).toBe(true);
    expect(FakeSocket.all).toHaveLength(2);
  });
});
