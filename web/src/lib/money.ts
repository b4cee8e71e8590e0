/** Amounts of money. They come as decimals in text, and are added without rounding. */

/** `€1.20`; below a hundredth with two digits that count: `€0.00015`. Rounded for a person; `amount` is a decimal. */
export function readableAmount(amount: string, currency: string): string {
  const value = Number(amount);
  const isTiny = value > 0 && value < 0.01;
  const digits = isTiny
    ? { maximumSignificantDigits: 2 }
    : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return new Intl.NumberFormat("en", { style: "currency", currency, ...digits }).format(value);
}

/** The sum of decimals, exact: as whole numbers of the smallest digit. */
export function sumOf(amounts: string[]): string {
  const places = Math.max(0, ...amounts.map((amount) => fraction(amount).length));
  const sum = amounts.reduce(
    (total, amount) => total + BigInt(amount.split(".")[0] + fraction(amount).padEnd(places, "0")),
    0n,
  );
  const digits = sum.toString().padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
}

function fraction(amount: string): string {
  return amount.split(".")[1] ?? "";
}
