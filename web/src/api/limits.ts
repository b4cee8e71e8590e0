/** The limits of the services, by their names there. */

export * from "./generated/limits.ts";
