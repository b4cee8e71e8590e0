/** The services' limits, under the names they have there. */

export * from "./generated/limits.ts";
