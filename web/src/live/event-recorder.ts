/** The interface through which connections record what they receive and send, for the event log. */

/** `ws ↑`: sent by this page; the others are received. */
export type Channel = "sse" | "ws" | "ws ↑";

export interface EventRecorder {
  /** `data`: the raw payload. `id`: of a server-sent event. */
  record(channel: Channel, name: string, data: string, id?: string): void;
}
