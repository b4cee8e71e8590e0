import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Problem } from "../api/http.ts";
import type { RunEvent } from "../api/types.ts";
import { RunReader } from "./run-reader.ts";
import { followRun } from "./run-stream.ts";

const LAST = 6;
const frame = (id: number) =>
  id === 1
    ? `retry: 1000\nid: 1.1\nevent: run\ndata: {"run_id":"r","conversation_id":"c","model":"m","mode":"demo"}\n\n`
    : id < LAST
      ? `id: 1.${id}\nevent: token\ndata: {"token":"t${id}"}\n\n`
      : `id: 1.${id}\nevent: done\ndata: {"done":true,"status":"completed"}\n\n`;

/** A gateway with one run: each request is answered by the next of `plans`; the last one repeats. */
class Gateway {
  requests: (string | null)[] = [];
  plans: ((after: number, signal: AbortSignal) => Response | Promise<Response>)[] = [whole];

  answer = async (_path: unknown, init: RequestInit = {}): Promise<Response> => {
    const lastId = new Headers(init.headers).get("last-event-id");
    this.requests.push(lastId);
    const plan = this.plans.length > 1 ? this.plans.shift() : this.plans[0];
    return (plan ?? whole)(Number(lastId?.replace("1.", "") ?? 0), init.signal as AbortSignal);
  };
}

function body(text: string, end: "closed" | "broken" | "open", signal?: AbortSignal): Response {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      if (end === "closed") controller.close();
      signal?.addEventListener("abort", () => controller.error(new DOMException("aborted", "AbortError")));
    },
    pull(controller) {
      if (end === "broken") controller.error(new TypeError("network error"));
    },
  });
  return new Response(stream, { headers: { "content-type": "text/event-stream" } });
}

const rest = (after: number, upTo = LAST) =>
  Array.from({ length: Math.max(0, upTo - after) }, (_, index) => frame(after + 1 + index)).join("");
const whole = (after: number) => body(rest(after), "closed");
const cutAfter =
  (upTo: number, piece = "") =>
  (after: number) =>
    body(rest(after, upTo) + piece, "broken");

let gateway: Gateway;
const abort = { now: new AbortController() };

async function follow(): Promise<{ ids: (number | undefined)[]; connected: boolean[] }> {
  const received: RunEvent[] = [];
  const connected: boolean[] = [];
  const follower = {
    event: (event: RunEvent) => received.push(event),
    connected: (yes: boolean) => connected.push(yes),
  };
  const following = followRun("r", { record: () => undefined }, follower, abort.now.signal);
  const settled = following.then(
    () => null,
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(60_000);
  abort.now.abort();
  const error = await settled;
  if (error) throw error;
  return { ids: received.map((event) => event.id?.number), connected };
}

beforeEach(() => {
  vi.useFakeTimers();
  abort.now = new AbortController();
  gateway = new Gateway();
  vi.stubGlobal("fetch", gateway.answer);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("following a run", () => {
  it("reads it to its end, once", async () => {
    expect((await follow()).ids).toEqual([1, 2, 3, 4, 5, 6]);
    expect(gateway.requests).toEqual([null]);
  });

  it("resumes after the last complete event when the connection breaks", async () => {
    gateway.plans = [cutAfter(3, 'id: 1.4\nevent: token\ndata: {"tok'), whole];
    const { ids, connected } = await follow();
    expect(ids).toEqual([1, 2, 3, 4, 5, 6]);
    expect(gateway.requests).toEqual([null, "1.3"]);
    expect(connected).toEqual([true, false, true]);
  });

  it("resumes when the server ends the stream without `done`", async () => {
    gateway.plans = [(after) => body(rest(after, 2), "closed"), whole];
    expect((await follow()).ids).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("retries while the server is unavailable", async () => {
    const away = () => Promise.reject(new TypeError("refused"));
    const busy = () => Response.json({ code: "service_unavailable" }, { status: 503 });
    gateway.plans = [cutAfter(2), away, busy, away, whole];
    expect((await follow()).ids).toEqual([1, 2, 3, 4, 5, 6]);
    expect(gateway.requests).toEqual([null, "1.2", "1.2", "1.2", "1.2"]);
  });

  it("drops a connection on which nothing arrives, not even a heartbeat", async () => {
    gateway.plans = [(after, signal) => body(rest(after, 2), "open", signal), whole];
    expect((await follow()).ids).toEqual([1, 2, 3, 4, 5, 6]);
    expect(gateway.requests).toEqual([null, "1.2"]);
  });

  it("does not retry a permanent error", async () => {
    gateway.plans = [() => Response.json({ code: "not_found", detail: "No such run." }, { status: 404 })];
    await expect(follow()).rejects.toBeInstanceOf(Problem);
    expect(gateway.requests).toHaveLength(1);
  });

  it("stops when it is aborted", async () => {
    gateway.plans = [
      (after, signal) => {
        setTimeout(() => abort.now.abort(), 10);
        return body(rest(after, 2), "open", signal);
      },
    ];
    expect((await follow()).ids).toEqual([1, 2]);
    expect(gateway.requests).toHaveLength(1);
  });
});

describe("a turn", () => {
  const TURN_MS = 700;

  async function turn(): Promise<{ lastId: string; ended: boolean; took: number }> {
    const reader = new RunReader("r", { events: () => undefined, connected: () => undefined });
    const began = performance.now();
    let took = -1;
    void reader.readTurn(abort.now.signal, TURN_MS).then(() => (took = performance.now() - began));
    await vi.advanceTimersByTimeAsync(20_000);
    return { lastId: reader.lastId, ended: reader.ended, took };
  }

  it("begins when the server answers, however late that is", async () => {
    gateway.plans = [
      async (after, signal) => {
        await new Promise((resolve) => setTimeout(resolve, 5_000));
        return body(rest(after, 2), "open", signal);
      },
    ];
    const { lastId, took } = await turn();
    expect(lastId).toBe("1.2");
    expect(took).toBeGreaterThanOrEqual(5_000 + TURN_MS);
    expect(took).toBeLessThan(5_000 + 2 * TURN_MS);
  });

  it("ends early with the run", async () => {
    expect(await turn()).toMatchObject({ lastId: "1.6", ended: true });
  });

  it("pauses after a failure before another one can begin", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    gateway.plans = [() => Promise.reject(new TypeError("refused"))];
    const { took } = await turn();
    expect(took).toBeGreaterThanOrEqual(500);
    expect(gateway.requests).toHaveLength(1);
  });
});
