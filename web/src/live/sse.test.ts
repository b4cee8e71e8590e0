// @vitest-environment node
import { describe, expect, it } from "vitest";

import { SseParser, type ServerSentEvent } from "./sse.ts";

function parse(chunks: Uint8Array[]): { events: ServerSentEvent[]; retries: number[]; comments: string[] } {
  const events: ServerSentEvent[] = [];
  const retries: number[] = [];
  const comments: string[] = [];
  const parser = new SseParser({
    event: (event) => events.push(event),
    retry: (ms) => retries.push(ms),
    comment: (text) => comments.push(text),
  });
  for (const chunk of chunks) parser.push(chunk);
  return { events, retries, comments };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const STREAM = [
  "\uFEFFretry: 1000",
  "",
  ": heartbeat",
  "",
  "id: 1",
  "event: token",
  'data: {"token":"Grüße 🖋 你好"}',
  "",
  "id: 2",
  "data:first",
  "data: second",
  "data:  third",
  "data",
  "",
  "event: only a name is no event",
  "",
  "unknown: field",
  "id",
  "data: id emptied",
  "",
  "data: never ended",
];
const EXPECTED: ServerSentEvent[] = [
  { id: "1", event: "token", data: '{"token":"Grüße 🖋 你好"}' },
  { id: "2", event: "message", data: "first\nsecond\n third\n" },
  { id: "", event: "message", data: "id emptied" },
];

describe.each([
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
])("lines that end in %s", (_name, ending) => {
  const whole = bytes(STREAM.join(ending));

  it("are parsed from one chunk", () => {
    expect(parse([whole])).toEqual({ events: EXPECTED, retries: [1000], comments: ["heartbeat"] });
  });

  it("are parsed the same from two chunks, split at every byte", () => {
    for (let cut = 0; cut <= whole.length; cut++) {
      const read = parse([whole.slice(0, cut), whole.slice(cut)]);
      expect(read, `cut at ${cut}`).toEqual({ events: EXPECTED, retries: [1000], comments: ["heartbeat"] });
    }
  });

  it("are parsed the same byte by byte", () => {
    expect(parse(Array.from(whole, (byte) => Uint8Array.of(byte))).events).toEqual(EXPECTED);
  });
});

it("mixed line endings all end a line", () => {
  expect(parse([bytes("data: a\r\ndata: b\rdata: c\n\r\n")]).events).toEqual([
    { id: "", event: "message", data: "a\nb\nc" },
  ]);
});

it("an id with a NUL and a retry that is not a number are ignored", () => {
  const read = parse([bytes("id: 7\ndata: x\n\nid: a\0b\nretry: soon\ndata: y\n\n")]);
  expect(read.events.map((event) => event.id)).toEqual(["7", "7"]);
  expect(read.retries).toEqual([]);
});
