/** The log behind the drawer: every SSE event and every WebSocket message, newest last. */

import { createContext } from "svelte";

import { throttle } from "../lib/throttle.ts";
import type { Channel, EventRecorder } from "../live/event-recorder.ts";

const MAX_EVENTS = 2_000;
const SHOWN_EVERY_MS = 100;

export interface LoggedEvent {
  seq: number;
  at: Date;
  channel: Channel;
  name: string;
  data: string;
  id: string;
}

export class EventLog implements EventRecorder {
  /** Changes at most ten times a second; effects that show `rows` depend on it. */
  revision = $state(0);
  paused = $state(false);
  #rows: LoggedEvent[] = [];
  #seq = 0;
  #show = throttle(SHOWN_EVERY_MS, () => {
    if (!this.paused) this.revision += 1;
  });

  record(channel: Channel, name: string, data: string, id = ""): void {
    this.#rows.push({ seq: ++this.#seq, at: new Date(), channel, name, data, id });
    // trimmed in larger steps: copying the array for each row would cost more than the row
    if (this.#rows.length > MAX_EVENTS * 1.25) this.#rows = this.#rows.slice(-MAX_EVENTS);
    this.#show();
  }

  /** The newest rows, oldest first: at most `limit` of those that contain `filter` in channel, name or data. */
  rows(filter: string, limit: number): LoggedEvent[] {
    const wanted = filter.trim().toLowerCase();
    if (!wanted) return this.#rows.slice(-limit);
    const found: LoggedEvent[] = [];
    for (let i = this.#rows.length - 1; i >= 0 && found.length < limit; i--) {
      const row = this.#rows[i];
      if (row && `${row.channel} ${row.name} ${row.data}`.toLowerCase().includes(wanted)) found.push(row);
    }
    return found.reverse();
  }

  get total(): number {
    return Math.min(this.#rows.length, MAX_EVENTS);
  }

  pause(paused: boolean): void {
    this.paused = paused;
    this.revision += 1;
  }

  clear(): void {
    this.#rows = [];
    this.revision += 1;
  }

  /** One line per row: time, channel, id, name, data. */
  text(filter: string): string {
    const line = (row: LoggedEvent) =>
      [row.at.toISOString(), row.channel, row.id, row.name, row.data].join("\t");
    return this.rows(filter, MAX_EVENTS).map(line).join("\n");
  }
}

/** The log of this page. */
export const [getEventLog, setEventLog] = createContext<EventLog>();
