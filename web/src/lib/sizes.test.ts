import { expect, test } from "vitest";

import { readableSize } from "./sizes.ts";

test.each([
  [0, "0 bytes"],
  [1023, "1023 bytes"],
  [1024, "1 KB"],
  [1536, "1.5 KB"],
  [10 * 1024 + 100, "10 KB"],
  [1024 ** 3, "1 GB"],
  [5000 * 1024 ** 4, "5000 TB"],
])("%i is %s", (bytes, said) => {
  expect(readableSize(bytes)).toBe(said);
});
