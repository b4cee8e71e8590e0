/** Lazy loading of the text field's code. */

type Writing = typeof import("./text-field.ts");

let here: Writing | null = null;

/** The code if it is loaded already, else null. */
export function loadedTextField(): Writing | null {
  return here;
}

export async function loadTextField(): Promise<Writing> {
  return (here ??= await import("./text-field.ts"));
}
