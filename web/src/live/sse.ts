/** Parses `text/event-stream` bytes, split into chunks at any place, as the HTML standard specifies. */

export interface ServerSentEvent {
  /** The last id seen when the event ended; empty when there was none. */
  id: string;
  event: string;
  data: string;
}

export interface SseHandlers {
  event: (event: ServerSentEvent) => void;
  /** The server's `retry` field: the pause before a reconnect, in milliseconds. */
  retry?: (milliseconds: number) => void;
  comment?: (text: string) => void;
}

/**
 * Lines may end in CRLF, LF or CR, and a chunk may end between a CR and its LF. An event whose empty line
 * has not arrived is not dispatched: when the stream breaks, a resume delivers that event again.
 */
export class SseParser {
  #decoder = new TextDecoder("utf-8");
  #handlers: SseHandlers;
  #rest = "";
  #afterCr = false;
  #data: string[] = [];
  #event = "";
  #id = "";

  constructor(handlers: SseHandlers) {
    this.#handlers = handlers;
  }

  push(bytes: Uint8Array): void {
    // the decoder keeps a cut character until its bytes are whole, and drops a byte order mark at the start
    this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  #take(text: string): void {
    if (!text) return;
    let start = this.#afterCr && text[0] === "\n" ? 1 : 0;
    this.#afterCr = text.endsWith("\r");
    const ending = /\r\n|\n|\r/g;
    ending.lastIndex = start;
    for (let found = ending.exec(text); found; found = ending.exec(text)) {
      this.#line(this.#rest + text.slice(start, found.index));
      this.#rest = "";
      start = ending.lastIndex;
    }
    this.#rest += text.slice(start);
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return this.#handlers.comment?.(line.slice(1).trim());
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? "" : line.slice(colon + 1);
    this.#field(field, raw.startsWith(" ") ? raw.slice(1) : raw);
  }

  #field(field: string, value: string): void {
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && /^[0-9]+$/.test(value)) this.#handlers.retry?.(Number(value));
  }

  #dispatch(): void {
    const data = this.#data;
    const event = this.#event;
    this.#data = [];
    this.#event = "";
    if (data.length === 0) return;
    this.#handlers.event({ id: this.#id, event: event || "message", data: data.join("\n") });
  }
}
