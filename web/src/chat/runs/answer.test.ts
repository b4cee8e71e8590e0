import { describe, expect, it } from "vitest";

import type { Message, RunEvent, RunEvents } from "../../api/types.ts";
import { Answer } from "./answer.svelte.ts";
import { entriesOf } from "./entries.ts";

function event<Name extends keyof RunEvents>(
  id: number | null,
  name: Name,
  data: Partial<RunEvents[Name]>,
  attempt = 1,
): RunEvent {
  return { id: id === null ? null : { attempt, number: id }, name, data } as unknown as RunEvent;
}

const RUN: RunEvent[] = [
  event(1, "run", { run_id: "r", conversation_id: "c", model: "demo", mode: "demo" }),
  event(2, "token", { token: "Let me" }),
  event(3, "token", { token: " look." }),
  event(4, "tool_call", { call_id: "a", name: "create_note" }),
  event(5, "tool_args", { call_id: "a", delta: '{"title":"Sho' }),
  event(6, "message", { message_id: "m1", text: "Let me look." }),
  event(7, "tool_args", { call_id: "a", delta: 'pping"}' }),
  event(8, "tool_done", {
    call_id: "a",
    name: "create_note",
    status: "ok",
    arguments: { title: "Shopping" },
    result: { id: "n1", title: "Shopping", version: 1 },
    duration_ms: 5,
  }),
  event(9, "notes_changed", { op: "create", id: "n1", version: 1, call_id: "a" }),
  event(10, "token", { token: "Done" }),
  event(11, "token", { token: "." }),
  event(12, "message", { message_id: "m2", text: "Done." }),
  event(13, "done", {
    done: true,
    status: "completed",
    usage: { input_tokens: 3, output_tokens: 2, requests: 1 },
  }),
];

/** The answer as the user sees it. */
function seen(answer: Answer): unknown {
  answer.flush();
  return {
    status: answer.status,
    parts: answer.parts.map((part) =>
      part.kind === "text"
        ? part.text
        : { tool: part.name, status: part.status, arguments: part.arguments, note: part.noteId },
    ),
  };
}

function play(events: RunEvent[]): Answer {
  const answer = new Answer("r");
  for (const one of events) answer.apply(one);
  return answer;
}

const WHOLE = {
  status: "completed",
  parts: [
    "Let me look.",
    { tool: "create_note", status: "ok", arguments: { title: "Shopping" }, note: "n1" },
    "Done.",
  ],
};

const APPROVAL_REQUIRED: RunEvent[] = [
  event(1, "tool_call", { call_id: "a", name: "delete_note" }),
  event(2, "tool_call", { call_id: "b", name: "delete_note" }),
  event(3, "approval_required", {
    calls: [
      { call_id: "a", name: "delete_note", arguments: { note_id: "n1" } },
      { call_id: "b", name: "delete_note", arguments: { note_id: "n2" } },
    ],
  }),
];

describe("tool calls that wait for approval", () => {
  it("are decided one after the other, and survive a repeat of the stream", () => {
    const answer = play([...APPROVAL_REQUIRED, ...APPROVAL_REQUIRED]);
    expect(answer.waiting.map((part) => part.callId)).toEqual(["a", "b"]);
    expect(answer.running).toBe(true);
    answer.apply(event(4, "approval_decided", { call_id: "a", approve: true, by: "user" }));
    expect(answer.waiting.map((part) => part.callId)).toEqual(["b"]);
    expect(answer.tools.map((part) => part.status)).toEqual(["running", "waiting"]);
    answer.apply(event(5, "approval_decided", { call_id: "b", approve: false, by: "user" }));
    expect(answer.waiting).toEqual([]);
    expect(answer.tools.map((part) => part.status)).toEqual(["running", "denied"]);
  });

  it("keep waiting after a takeover, until the run is stopped", () => {
    const answer = play([...APPROVAL_REQUIRED, event(4, "restart", { attempt: 2 })]);
    expect(answer.waiting).toHaveLength(2);
    answer.apply(event(5, "done", { done: true, status: "cancelled" }));
    expect(answer.tools.map((part) => part.status)).toEqual(["stopped", "stopped"]);
  });

  it("keep their name and status if a takeover follows the decision", () => {
    const answer = play([
      ...APPROVAL_REQUIRED,
      event(4, "approval_decided", { call_id: "a", approve: true, by: "user" }),
      event(5, "restart", { attempt: 2 }),
      event(6, "notes_changed", { op: "delete", id: "n1", version: 2, call_id: "a" }),
    ]);
    expect(answer.tools.map(({ name, status }) => [name, status])).toEqual([
      ["delete_note", "running"],
      ["delete_note", "waiting"],
    ]);
  });
});

describe("an answer", () => {
  it("is built from its events, in order", () => {
    expect(seen(play(RUN))).toEqual(WHOLE);
    expect(play(RUN).usage?.output_tokens).toBe(2);
  });

  it("is the same if a reconnect repeats any range of them", () => {
    for (let from = 0; from < RUN.length; from++) {
      for (let to = from; to <= RUN.length; to++) {
        expect(seen(play([...RUN.slice(0, to), ...RUN.slice(from)]))).toEqual(WHOLE);
      }
    }
  });

  it("is corrected by `message` if tokens are missing or different", () => {
    const without = RUN.filter((one) => one.name !== "token");
    const parts = (seen(play(without)) as { parts: unknown[] }).parts;
    expect(parts).toContain("Let me look.");
    expect(parts).toContain("Done.");
    const wrong = RUN.map((one) =>
      one.name === "token" ? event(one.id?.number ?? null, "token", { token: "?" }) : one,
    );
    expect(seen(play(wrong))).toEqual(WHOLE);
  });

  it("resumes after the last complete message or finished call when another worker takes the run over", () => {
    const taken = [
      ...RUN.slice(0, 10),
      event(11, "restart", { attempt: 2 }),
      event(12, "token", { token: "All " }),
      event(13, "token", { token: "done." }),
      event(14, "message", { message_id: "m2", text: "All done." }),
      event(15, "done", { done: true, status: "completed" }),
    ];
    expect(seen(play(taken))).toEqual({ ...WHOLE, parts: [...WHOLE.parts.slice(0, 2), "All done."] });
  });

  it("takes a restart whose number is lower than the last one, and then nothing of the earlier attempt", () => {
    const answer = play([
      ...RUN.slice(0, 3),
      event(3, "restart", { attempt: 2 }, 2),
      event(4, "token", { token: "Afresh." }, 2),
      event(3, "token", { token: " look." }),
    ]);
    answer.flush();
    expect(answer.text).toBe("Afresh.");
  });

  it("drops an unfinished call after a restart, because it is repeated", () => {
    const answer = play([...RUN.slice(0, 6), event(7, "restart", { attempt: 2 })]);
    expect(seen(answer)).toEqual({ status: "streaming", parts: ["Let me look."] });
  });

  it("keeps the text of a run that fails, and shows the error", () => {
    const answer = play([
      ...RUN.slice(0, 3),
      event(4, "run_error", { code: "model_unavailable", message: "The model is away.", retryable: true }),
      event(5, "done", { done: true, status: "failed" }),
    ]);
    expect(seen(answer)).toEqual({ status: "failed", parts: ["Let me look."] });
    expect(answer.error?.message).toBe("The model is away.");
  });

  it("applies the gateway's own events, which have no number", () => {
    const answer = play([
      ...RUN.slice(0, 3),
      event(null, "run_error", { code: "timeout", message: "No answer.", retryable: true }),
      event(null, "done", { done: true, status: "failed" }),
    ]);
    expect(answer.running).toBe(false);
    expect(answer.error?.code).toBe("timeout");
  });

  it("marks an interrupted call as stopped", () => {
    const answer = play([...RUN.slice(0, 5), event(6, "done", { done: true, status: "cancelled" })]);
    expect(answer.tools[0]?.status).toBe("stopped");
  });

  it("ignores unknown events", () => {
    const id = { attempt: 1, number: 4 };
    const answer = play([...RUN.slice(0, 3), { id, name: "new_thing", data: {} } as unknown as RunEvent]);
    expect(seen(answer)).toEqual({ status: "streaming", parts: ["Let me look."] });
  });
});

describe("a stored conversation", () => {
  const message = (fields: Partial<Message>): Message => ({
    id: crypto.randomUUID(),
    role: "assistant",
    text: "",
    run_id: "r1",
    status: "complete",
    created_at: "2026-01-01T00:00:00Z",
    tool_calls: [],
    siblings: [],
    undone: false,
    ...fields,
  });

  it("shows the messages of one run as one answer", () => {
    const call = {
      call_id: "a",
      name: "list_notes",
      arguments: {},
      status: "ok" as const,
      result: {},
      duration_ms: 4,
    };
    const entries = entriesOf([
      message({ role: "user", text: "list" }),
      message({ tool_calls: [call] }),
      message({ text: "Two notes." }),
      message({ role: "user", text: "thanks", run_id: "r2" }),
      message({ text: "Wel", status: "cancelled", run_id: "r2" }),
    ]);
    expect(entries.map((entry) => entry.kind)).toEqual(["question", "answer", "question", "answer"]);
    const [, first, , second] = entries as [unknown, Answer, unknown, Answer];
    expect(first.parts.map((part) => part.kind)).toEqual(["tool", "text"]);
    expect(second.status).toBe("cancelled");
  });

  it("shows how a run without any message ended", () => {
    const error = { code: "model_unavailable" as const, message: "The model is away.", retryable: true };
    const ended = { run_status: "failed" as const, error };
    const messages = [
      message({ role: "user", text: "one", ...ended }),
      message({ role: "user", text: "two", run_id: "r2", run_status: "cancelled" }),
      message({ role: "user", text: "three", run_id: "r3", ...ended }),
      message({ text: "Thr", status: "failed", run_id: "r3", ...ended }),
      message({ role: "user", text: "four", run_id: "r4", ...ended }),
    ];
    const shown = (running: boolean) =>
      entriesOf(messages, running).map((entry) =>
        entry.kind === "answer" ? [entry.status, entry.error?.message ?? null] : entry.text,
      );
    const before = ["one", ["failed", error.message], "two", ["cancelled", null], "three"];
    expect(shown(false)).toEqual([...before, ["failed", error.message], "four", ["failed", error.message]]);
    expect(shown(true).at(-1)).toBe("four"); // being answered again
  });
});

describe("another model than the one that began", () => {
  const began = event(1, "run", { run_id: "r", conversation_id: "c", model: "small", mode: "live" });
  const again = (id: number, model: string, reason: string) =>
    event(id, "retrying", { attempt: 1, max_attempts: 3, delay_ms: 0, reason, model });

  it("is the one that answers from then on", () => {
    const answer = play([began, again(2, "small", "model_unavailable")]);
    expect([answer.model, answer.hasFallenBack, answer.retrying]).toEqual([
      "small",
      false,
      "model_unavailable",
    ]);
    answer.apply(again(3, "large", "model_unavailable"));
    answer.apply(event(4, "token", { token: "Here I am." }));
    answer.flush();
    expect([answer.model, answer.hasFallenBack, answer.retrying]).toEqual(["large", true, null]);
  });
});
