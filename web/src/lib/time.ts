/** Dates, times and durations for display. */

const DAY_MS = 86_400_000;

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const monthDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const far = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const long = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });

export function formatShort(iso: string, now = new Date()): string {
  const then = new Date(iso);
  if (then.toDateString() === now.toDateString()) return clock.format(then);
  if (now.getTime() - then.getTime() < 6 * DAY_MS) return weekday.format(then);
  return (then.getFullYear() === now.getFullYear() ? monthDay : far).format(then);
}

export function formatDate(date: Date): string {
  return long.format(date);
}

export function formatDateTime(iso: string): string {
  return whole.format(new Date(iso));
}

/** "1 second", "40 seconds", "5 minutes": whole minutes from one on, rounded up. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  const [count, unit] = seconds < 60 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
