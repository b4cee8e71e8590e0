/** The ids of a run's events: `<attempt>.<number>`; a number alone is one of attempt 1. */

export interface EventId {
  attempt: number;
  number: number;
}

/** Null for what is not such an id. */
export function parseEventId(text: string): EventId | null {
  const found = /^(?:(\d+)\.)?(\d+)$/.exec(text);
  return found ? { attempt: Number(found[1] ?? 1), number: Number(found[2]) } : null;
}

/** In the order of the run's events. */
export function isAfter(one: EventId, other: EventId): boolean {
  return one.attempt > other.attempt || (one.attempt === other.attempt && one.number > other.number);
}
