import { expect, test } from "vitest";

import { formatDuration } from "./time.ts";

test.each([
  [0, "1 second"],
  [1, "1 second"],
  [1000, "1 second"],
  [1001, "2 seconds"],
  [59_000, "59 seconds"],
  [60_000, "1 minute"],
  [61_000, "2 minutes"],
  [300_000, "5 minutes"],
])("%i ms are %s", (ms, words) => {
  expect(formatDuration(ms)).toBe(words);
});
