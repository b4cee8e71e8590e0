/** What a new person's first note is called. Its text is in `welcome.ts`, which is read by new people only. */

export const FIRST_NOTE = "Welcome to Inkstream";
