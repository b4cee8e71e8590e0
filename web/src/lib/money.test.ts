import { describe, expect, it } from "vitest";

import { readableAmount, sumOf } from "./money.ts";

describe("amounts", () => {
  it("are rounded to hundredths, and tiny ones to two digits", () => {
    expect(readableAmount("1.2", "EUR")).toBe("€1.20");
    expect(readableAmount("1234.567", "USD")).toBe("$1,234.57");
    expect(readableAmount("0", "USD")).toBe("$0.00");
    expect(readableAmount("0.0001542", "EUR")).toBe("€0.00015");
    expect(readableAmount("0.0000000006", "EUR")).toBe("€0.0000000006");
    expect(readableAmount("0.01", "EUR")).toBe("€0.01");
  });

  it("are added exactly", () => {
    expect(sumOf([])).toBe("0");
    expect(sumOf(["3"])).toBe("3");
    expect(sumOf(["0.1", "0.2"])).toBe("0.3");
    expect(sumOf(["0.000000000001", "12345678901234567890"])).toBe("12345678901234567890.000000000001");
    expect(sumOf(["0.5", "0.50", "9"])).toBe("10.00");
  });
});
