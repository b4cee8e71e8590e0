import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { RunRequest } from "../api/calls.ts";
import type { Decision } from "../api/types.ts";
import { Answer } from "./runs/answer.svelte.ts";
import { Chat } from "./chat.svelte.ts";
import { ChatDrafts } from "./drafts.ts";
import type { Unsent } from "./runs/entries.ts";
import type { ToolPart } from "./runs/parts.svelte.ts";

const DONE = `id: 1\nevent: token\ndata: {"token":"Hi."}\n\nid: 2\nevent: done\ndata: {"done":true,"status":"completed"}\n\n`;

/** The server's conversation API; `start` answers requests for new runs. */
class Server {
  started: RunRequest[] = [];
  start: () => Response | Promise<Response> = () =>
    Response.json({ run_id: "r1", conversation_id: "c1" }, { status: 202 });
  decided: Decision[] = [];
  decide: () => Response = () => new Response(null, { status: 204 });
  changed: unknown[] = [];
  change: () => Response = () => Response.json({ id: "c1", title: "Stored", instructions: "" });
  branched: string[] = [];
  undone: unknown[] = [];
  conflicts: unknown[] = [];
  messages: unknown[] = [];
  activeRun: string | null = null;
  summary: { message_id: string; text: string } | null = null;
  pageMessages = 500;
  /** What was read of the conversation: "newest", or before which message. */
  read: string[] = [];

  answer = async (path: unknown, init: RequestInit = {}): Promise<Response> => {
    const url = String(path);
    if (url === "/api/runs") {
      this.started.push(JSON.parse(init.body as string) as RunRequest);
      return this.start();
    }
    if (url.endsWith("/decisions")) {
      this.decided.push(...(JSON.parse(init.body as string) as { decisions: Decision[] }).decisions);
      return this.decide();
    }
    if (/messages\/\w+\/(edit|regenerate)$/.test(url)) {
      this.branched.push(url);
      const { keep_conflicts: kept } = JSON.parse(init.body as string) as { keep_conflicts: boolean };
      if (this.conflicts.length > 0 && !kept)
        return Response.json({ code: "changes_conflict", conflicts: this.conflicts }, { status: 409 });
      return Response.json({ run_id: "r2", conversation_id: "c1", undone: this.undone }, { status: 202 });
    }
    if (url.endsWith("/events")) return new Response(DONE);
    if (url.startsWith("/api/runs/"))
      return Response.json({ status: "completed", finished_at: "2026-01-01T00:00:00Z", usage: {} });
    if (url === "/api/conversations/c1" && init.method === "PATCH") {
      this.changed.push(JSON.parse(init.body as string));
      return this.change();
    }
    if (url.startsWith("/api/conversations/c1?")) return this.page(new URLSearchParams(url.split("?")[1]));
    if (url.startsWith("/api/conversations/c1/summaries/")) {
      const { text } = JSON.parse(init.body as string) as { text: string };
      this.summary = { message_id: url.split("/").at(-1) ?? "", text };
      return Response.json(this.summary);
    }
    return Response.json({ conversations: [] });
  };

  /** As many messages as are asked for, but no more than `pageMessages`. */
  private page(query: URLSearchParams): Response {
    const limit = Math.min(Number(query.get("limit")), this.pageMessages);
    const before = this.messages.findIndex(
      (message) => (message as { id: string }).id === query.get("before"),
    );
    const end = before < 0 ? this.messages.length : before;
    const begin = Math.max(end - limit, 0);
    this.read.push(query.get("before") ?? "newest");
    return Response.json({
      id: "c1",
      title: "Stored",
      active_run_id: this.activeRun,
      messages: this.messages.slice(begin, end),
      has_earlier: begin > 0,
      summary: this.summary,
    });
  }
}

let server: Server;
let chat: Chat;
const moved = vi.fn();
const failed = vi.fn();
const tookBack = vi.fn();
const waits = vi.fn();
const kinds = () => chat.current.entries.map((entry) => entry.kind);

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  moved.mockReset();
  failed.mockReset();
  waits.mockReset();
  server = new Server();
  vi.stubGlobal("fetch", server.answer);
  chat = new Chat({ record: () => undefined }, { moved, failed, tookBack, waits }, new ChatDrafts("u1"));
});

afterEach(() => {
  chat.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function send(text: string): Promise<void> {
  chat.type(text);
  const sending = chat.send(text, null);
  expect(chat.current.sending).toBe(true);
  await vi.advanceTimersByTimeAsync(60_000);
  await sending;
}

describe("sending a message", () => {
  it("shows the question at once, then its answer", async () => {
    await send("Hello");
    expect(kinds()).toEqual(["question", "answer"]);
    expect(chat.current.id).toBe("c1");
    expect(moved).toHaveBeenCalledWith("c1", false);
    expect(chat.current.draft).toBe("");
    expect(chat.current.active).toBeNull();
  });

  it("retries with the same request id while the server is unavailable", async () => {
    let tries = 0;
    const accept = server.start;
    server.start = () => (++tries < 3 ? Promise.reject(new TypeError("refused")) : accept());
    await send("Hello");
    expect(new Set(server.started.map((body) => body.client_request_id)).size).toBe(1);
    expect(server.started).toHaveLength(3);
    expect(kinds()).toEqual(["question", "answer"]);
  });

  const unsent = () => chat.current.unsent.map(({ text, unsent: one }) => [text, one?.failed]);
  const refuse = () => Response.json({ code: "validation_failed", detail: "Too long." }, { status: 422 });

  it("keeps it, as one that can be sent again, if it cannot be sent", async () => {
    const accept = server.start;
    server.start = refuse;
    await send("Hello");
    expect(kinds()).toEqual(["question"]);
    expect(unsent()).toEqual([["Hello", true]]);
    expect(chat.current.draft).toBe("");
    expect(chat.current.sending).toBe(false);
    expect(failed).toHaveBeenCalledOnce();
    server.start = accept;
    const sending = chat.resend(chat.current.unsent[0]?.unsent as Unsent);
    await vi.advanceTimersByTimeAsync(1000);
    await sending;
    expect(kinds()).toEqual(["question", "answer"]);
    expect(unsent()).toEqual([]);
    expect(new Set(server.started.map((body) => body.client_request_id)).size).toBe(1);
  });

  it("never loses it while another is typed and sent, nor over a reload", async () => {
    const accept = server.start;
    server.start = refuse;
    await send("First");
    chat.type("typed meanwhile");
    expect(unsent()).toEqual([["First", true]]);
    server.start = accept;
    await send("Second");
    expect(kinds()).toEqual(["question", "answer", "question"]);
    expect(unsent()).toEqual([["First", true]]);
    const reloaded = new Chat(
      { record: () => undefined },
      { moved, failed, tookBack, waits },
      new ChatDrafts("u1"),
    );
    expect(reloaded.current.unsent).toEqual([]);
    reloaded.open("c1");
    expect(reloaded.current.unsent.map(({ text }) => text)).toEqual(["First"]);
    reloaded.stop();
  });

  it("gives its text back to the composer, before what was typed meanwhile", async () => {
    server.start = refuse;
    await send("First");
    chat.type("typed meanwhile");
    chat.withdraw(chat.current.unsent[0]?.unsent as Unsent, true);
    expect(chat.current.draft).toBe("First\n\ntyped meanwhile");
    expect(unsent()).toEqual([]);
    expect(new ChatDrafts("u1").unsent(null)).toEqual([]);
  });

  it("follows the run that is still active, and keeps the message", async () => {
    server.start = () => Response.json({ code: "run_active", detail: "", run_id: "r9" }, { status: 409 });
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    server.messages = [stored("m1", "user", "r9")];
    server.activeRun = "r9";
    await send("Hello");
    expect(kinds()).toEqual(["question", "answer", "question"]);
    expect(unsent()).toEqual([["Hello", true]]);
  });

  const stored = (id: string, role: "user" | "assistant", run_id: string) => {
    const at = { status: "complete", created_at: "2026-01-01T00:00:00Z" };
    return { id, role, text: id, run_id, siblings: [], tool_calls: [], ...at };
  };
  const parents = () => server.started.map((body) => body.parent_message_id);

  it("names the message that was seen last", async () => {
    server.messages = [stored("m1", "user", "r1"), stored("m2", "assistant", "r1")];
    await send("Hello");
    // meanwhile another tab has added to the conversation: this one has not shown it
    server.messages.push(stored("m3", "user", "r7"), stored("m4", "assistant", "r7"));
    server.start = () => Response.json({ run_id: "r2", conversation_id: "c1" }, { status: 202 });
    await send("And then?");
    chat.open(null);
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    await send("At last");
    expect(parents()).toEqual([undefined, "m2", "m4"]);
  });

  it("names none in an empty conversation", async () => {
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    await send("Hello");
    expect(parents()).toEqual([null]);
  });

  it("asks again for the last message if it could not be told when its answer was complete", async () => {
    const answer = server.answer;
    vi.stubGlobal("fetch", (path: unknown, init?: RequestInit) =>
      String(path).startsWith("/api/conversations/c1?")
        ? Promise.reject(new TypeError("refused"))
        : answer(path, init),
    );
    await send("Hello");
    vi.stubGlobal("fetch", answer);
    server.messages = [stored("m1", "user", "r1"), stored("m2", "assistant", "r1")];
    await send("And then?");
    expect(parents()).toEqual([undefined, "m2"]);
  });

  it("shows it once if the server had it although the page was closed meanwhile", async () => {
    const arrived = { ...stored("m1", "user", "r1"), text: "Hello" };
    new ChatDrafts("u1").send("c1", "Hello", null);
    new ChatDrafts("u1").send("c1", "Lost", null);
    server.messages = [{ ...arrived, created_at: new Date().toISOString() }];
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(unsent()).toEqual([["Lost", true]]);
    expect(new ChatDrafts("u1").unsent("c1").map(({ text }) => text)).toEqual(["Lost"]);
  });
});

describe("a run of another tab", () => {
  it("is followed if its conversation is open", async () => {
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    expect(kinds()).toEqual([]);
    server.activeRun = "r5";
    chat.runChanged({ type: "run_changed", run_id: "r5", conversation_id: "c1", status: "running" });
    await vi.advanceTimersByTimeAsync(1000);
    expect(chat.current.entries.map((entry) => entry.runId)).toEqual(["r5"]);
    expect(chat.conversations.running.has("c1")).toBe(true);
  });

  it("is indicated if another conversation is open", () => {
    chat.runChanged({ type: "run_changed", run_id: "r5", conversation_id: "c2", status: "running" });
    expect(chat.conversations.busy(chat.current.id)).toBe(true);
    chat.runChanged({ type: "run_changed", run_id: "r5", conversation_id: "c2", status: "completed" });
    expect(chat.conversations.busy(chat.current.id)).toBe(false);
  });
});

describe("a tool call that waits for approval", () => {
  const waitingCall = () => {
    const answer = new Answer("r1");
    const calls = [{ call_id: "a", name: "delete_note", arguments: {} }];
    answer.apply({ id: { attempt: 1, number: 1 }, name: "approval_required", data: { calls } });
    return { answer, tool: answer.waiting[0] as ToolPart };
  };

  it("is decided once, however often the button is pressed", async () => {
    const { answer, tool } = waitingCall();
    const no = { remember: false, reason: "not that one" };
    await Promise.all([chat.runs.decide(answer, tool, false, no), chat.runs.decide(answer, tool, false, no)]);
    expect(server.decided).toEqual([{ call_id: "a", approve: false, reason: "not that one" }]);
    expect(tool.status).toBe("denied");
  });

  it("keeps waiting if the decision cannot be sent", async () => {
    const { answer, tool } = waitingCall();
    server.decide = () => Response.json({ code: "validation_failed", detail: "" }, { status: 422 });
    await chat.runs.decide(answer, tool, true, { remember: true, reason: "" });
    expect(tool).toMatchObject({ status: "waiting", deciding: false });
    expect(failed).toHaveBeenCalledOnce();
  });

  it("is announced once if another conversation is open", () => {
    const change = { type: "run_changed", run_id: "r5", conversation_id: "c2", status: "waiting" } as const;
    chat.runChanged(change);
    chat.runChanged(change);
    expect(waits).toHaveBeenCalledExactlyOnceWith("c2");
    expect([chat.waiting, chat.conversations.waiting(chat.current.id)]).toEqual([true, true]);
    chat.runChanged({ ...change, status: "running" });
    expect(chat.waiting).toBe(false);
  });
});

describe("a conversation that another window has changed", () => {
  const stored = (id: string, role: "user" | "assistant", run: string) => ({
    ...{ id, role, text: id, run_id: run, siblings: [], status: "complete", tool_calls: [] },
    created_at: "2026-01-01T00:00:00Z",
  });

  it("is named by the last message shown, and a message that does not follow it is kept", async () => {
    server.messages = [stored("m1", "user", "r1"), stored("m2", "assistant", "r1")];
    chat.open("c1");
    await vi.waitFor(() => expect(kinds()).toEqual(["question", "answer"]));
    server.messages = [...server.messages, stored("m3", "user", "r2"), stored("m4", "assistant", "r2")];
    server.start = () =>
      Response.json({ code: "stale_branch", detail: "", current_message_id: "m4" }, { status: 409 });
    await send("Hello");
    expect(server.started.at(-1)?.parent_message_id).toBe("m2");
    expect(failed).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("send it again"));
    await vi.waitFor(() =>
      expect(chat.current.entries.map((entry) => entry.messageId).slice(0, 4)).toHaveLength(4),
    );
    const [unsent] = chat.current.unsent;
    expect(unsent?.unsent).toMatchObject({ text: "Hello", failed: true });
    server.start = () => Response.json({ run_id: "r3", conversation_id: "c1" }, { status: 202 });
    if (unsent?.unsent) await chat.resend(unsent.unsent);
    expect(server.started.at(-1)?.parent_message_id).toBe("m4");
  });
});

describe("branches", () => {
  const message = (id: string, role: "user" | "assistant", siblings: string[]) => {
    const at = { status: "complete", created_at: "2026-01-01T00:00:00Z", tool_calls: [] };
    return { id, role, text: id, run_id: "r1", siblings, ...at };
  };

  it("a message sent here can be edited once its answer is complete", async () => {
    server.messages = [message("m1", "user", []), message("m2", "assistant", [])];
    await send("Hello");
    expect(chat.current.entries.map((entry) => entry.messageId)).toEqual(["m1", "m2"]);
    server.messages = [message("m3", "user", ["m1", "m3"]), message("m4", "assistant", [])];
    await chat.edit("m1", "Good day");
    expect(server.branched).toEqual(["/api/conversations/c1/messages/m1/edit"]);
    expect(chat.current.entries.map((entry) => entry.siblings)).toEqual([["m1", "m3"], []]);
  });

  it("what the earlier answer changed was undone, and that is said", async () => {
    chat.open("c1");
    server.undone = [{ op: "update", note: { id: "n1", title: "Groceries" } }];
    await chat.regenerate("m2");
    expect(tookBack).toHaveBeenCalledExactlyOnceWith(server.undone);
  });

  it.each([
    [true, 2],
    [false, 1],
  ])("a note that somebody has changed since is asked about: %s", async (goOn, requests) => {
    chat.open("c1");
    server.conflicts = [{ reason: "Changed.", note: { id: "n1", title: "Groceries" } }];
    const asked = chat.edit("m1", "Good day");
    await vi.waitFor(() => expect(chat.question?.conflicts).toEqual(server.conflicts));
    chat.question?.answer(goOn);
    expect(await asked).toBe(goOn);
    expect(server.branched).toHaveLength(requests);
    expect(chat.question).toBeNull();
    expect(failed).not.toHaveBeenCalled();
  });

  it("no further answer is requested while one is being generated", async () => {
    server.activeRun = "r5";
    chat.open("c1");
    chat.current.join("r5");
    await chat.regenerate("m2");
    expect(server.branched).toEqual([]);
  });
});

describe("an undo in another window", () => {
  const message = (id: string, run_id: string, undone: boolean, calls: unknown[]) => ({
    id,
    role: "assistant",
    text: id,
    run_id,
    siblings: [],
    status: "complete",
    created_at: "2026-01-01T00:00:00Z",
    undone,
    tool_calls: calls,
  });
  const call = {
    call_id: "a",
    name: "create_note",
    arguments: "{}",
    status: "ok",
    result: "",
    duration_ms: 1,
  };
  const update = { type: "conversation_changed", op: "update", id: "c1" } as const;

  it("marks the answer in place, also while another answer is streaming", async () => {
    server.messages = [message("m1", "r1", false, [call])];
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    chat.current.join("r2");
    const before = [...chat.current.entries];
    server.messages = [message("m1", "r1", true, [call])];
    chat.conversationChanged(update);
    await vi.advanceTimersByTimeAsync(10);
    expect(chat.current.entries.map((entry) => "undone" in entry && entry.undone)).toEqual([true, false]);
    expect(chat.current.entries.map((entry, at) => entry === before[at])).toEqual([true, true]);
  });

  it("causes no request if there was nothing to undo", async () => {
    server.messages = [message("m1", "r1", false, [])];
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
    server.read = [];
    chat.conversationChanged(update);
    await vi.advanceTimersByTimeAsync(10);
    expect(server.read).toEqual([]);
  });
});

describe("a long conversation", () => {
  const turn = (number: number) => [
    message(`q${number}`, "user", `r${number}`),
    message(`a${number}`, "assistant", `r${number}`),
  ];
  const message = (id: string, role: "user" | "assistant", run_id: string) => ({
    ...{ id, role, text: id, run_id, siblings: [], status: "complete", tool_calls: [] },
    created_at: "2026-01-01T00:00:00Z",
  });
  const shown = () => chat.current.entries.map((entry) => entry.runId);
  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => [`r${from + at}`, `r${from + at}`]).flat();

  beforeEach(async () => {
    server.messages = Array.from({ length: 10 }, (_, number) => turn(number)).flat();
    server.pageMessages = 4;
    chat.open("c1");
    await vi.advanceTimersByTimeAsync(10);
  });

  it("shows its newest messages, and earlier ones in front of them", async () => {
    expect(shown()).toEqual(numbers(8, 10));
    expect(chat.current.hasEarlier).toBe(true);
    const last = chat.current.entries.at(-1);
    await Promise.all([chat.current.loadEarlier(), chat.current.loadEarlier()]);
    expect(shown()).toEqual(numbers(6, 10));
    expect(chat.current.entries.at(-1)).toBe(last);
    await chat.current.loadAll();
    expect(shown()).toEqual(numbers(0, 10));
    expect(chat.current.hasEarlier).toBe(false);
  });

  it("keeps what it has loaded when it is loaded again", async () => {
    await chat.current.loadEarlier();
    server.messages = [...server.messages, ...turn(10)];
    server.read = [];
    await chat.current.load();
    expect(shown()).toEqual(numbers(6, 11));
    expect(server.read).toEqual(["newest"]);
    expect(chat.current.hasEarlier).toBe(true);
  });

  it("keeps it when a message is sent", async () => {
    await chat.current.loadEarlier();
    server.start = () => Response.json({ run_id: "r10", conversation_id: "c1" }, { status: 202 });
    server.messages = [...server.messages, ...turn(10)];
    await send("Hello");
    expect(shown()).toEqual(numbers(6, 11));
    expect(chat.current.entries.at(-1)).toMatchObject({ messageId: "a10", lastMessageId: "a10" });
    await chat.current.loadEarlier();
    expect(shown()).toEqual(numbers(4, 11));
  });

  it("is read until the message of another branch that is chosen", async () => {
    await chat.showBranch("q3");
    expect(shown()[0]).toBe("r2");
    expect(server.read).toEqual(["newest", "newest", "q8", "q6", "q4"]);
  });

  it("is copied whole without being shown whole", async () => {
    const entries = await chat.current.allEntries();
    expect(entries.map((entry) => entry.runId)).toEqual(numbers(0, 10));
    expect(shown()).toEqual(numbers(8, 10));
  });

  it("says why earlier messages do not come, and asks for them again", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("refused")));
    await chat.current.loadEarlier();
    expect(chat.current.earlierError).not.toBeNull();
    await expect(chat.current.loadAll()).rejects.toThrow();
    vi.stubGlobal("fetch", server.answer);
    await chat.current.loadEarlier();
    expect(chat.current.earlierError).toBeNull();
    expect(shown()).toEqual(numbers(6, 10));
  });

  it("has a summary, which other windows change too", async () => {
    server.summary = { message_id: "a8", text: "Before." };
    await chat.current.load();
    expect(chat.current.summary?.text).toBe("Before.");
    await chat.current.summarize("a8", "After.");
    expect(chat.current.summary?.text).toBe("After.");
    server.summary = { message_id: "a8", text: "Elsewhere." };
    chat.conversationChanged({ type: "conversation_changed", op: "update", id: "c1" });
    await vi.advanceTimersByTimeAsync(10);
    expect(chat.current.summary?.text).toBe("Elsewhere.");
  });
});

it("a draft stays with its conversation", () => {
  chat.type("half a sentence");
  chat.open("c1");
  expect(chat.current.draft).toBe("");
  chat.open(null);
  expect(chat.current.draft).toBe("half a sentence");
});

describe("choosing who answers", () => {
  it("goes along with the first message of a new conversation", async () => {
    await chat.choose({ model: "large" });
    await chat.choose({ effort: "high" });
    await send("Hello");
    expect(server.started[0]).toMatchObject({ model: "large", effort: "high" });
    expect(server.changed).toEqual([]);
  });

  it("is known to the server before the next message is", async () => {
    await send("Hello");
    let answer: (response: Response) => void = () => undefined;
    vi.stubGlobal("fetch", (path: unknown, init: RequestInit = {}) =>
      init.method === "PATCH"
        ? new Promise<Response>((resolve) => (answer = resolve))
        : server.answer(path, init),
    );
    void chat.choose({ model: "large" });
    expect(chat.current.model).toBe("large");
    const sending = chat.send("And you?", null);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(server.started).toHaveLength(1);
    answer(Response.json({ id: "c1", title: "Stored", instructions: "", model: "large" }));
    await vi.advanceTimersByTimeAsync(60_000);
    await sending;
    expect(server.started).toHaveLength(2);
    expect(server.started[1]).not.toHaveProperty("model");
  });

  it("stays with a first message that could not be sent, over a reload too", async () => {
    await chat.choose({ model: "local" });
    const accept = server.start;
    server.start = () => Response.json({ code: "quota_exceeded", detail: "Full" }, { status: 409 });
    await send("Hello");
    chat.stop();
    chat = new Chat({ record: () => undefined }, { moved, failed, tookBack, waits }, new ChatDrafts("u1"));
    expect(chat.current.model).toBe("local");
    server.start = accept;
    const [question] = chat.current.unsent;
    const sending = chat.resend(question?.unsent as Unsent);
    await vi.advanceTimersByTimeAsync(60_000);
    await sending;
    expect(server.started.map(({ model }) => model)).toEqual(["local", "local"]);
  });

  it("is taken back if the server does not store it", async () => {
    await send("Hello");
    server.change = () => Response.json({ code: "validation_failed", detail: "No" }, { status: 422 });
    await chat.choose({ model: "gone" });
    expect(chat.current.model).toBeNull();
    expect(failed).toHaveBeenCalledOnce();
  });
});
