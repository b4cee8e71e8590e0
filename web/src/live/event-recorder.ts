/** Where the connections report what they receive and send. */

/** `ws ↑`: sent by this page; the others are received. */
export type Channel = "sse" | "ws" | "ws ↑";

export interface EventRecorder {
  /** `data`: as it went over the wire. `id`: of a server-sent event. */
  record(channel: Channel, name: string, data: string, id?: string): void;
}
