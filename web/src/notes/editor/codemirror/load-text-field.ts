/** The writing field's code, fetched once, when it is first needed. */

type Writing = typeof import("./text-field.ts");

let here: Writing | null = null;

/** At once, where it has been fetched already. */
export function loadedTextField(): Writing | null {
  return here;
}

export async function loadTextField(): Promise<Writing> {
  return (here ??= await import("./text-field.ts"));
}
