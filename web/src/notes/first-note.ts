/** The title of a new user's first note. Its text is in `welcome.ts`, which is loaded for new users only. */

export const FIRST_NOTE = "Welcome to Inkstream";
