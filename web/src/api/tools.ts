/** The registry of the assistant's tools. */

import { TOOLS, type Tool, type ToolName } from "./generated/tools.ts";

export type { Tool, ToolName };

/** A tool by its name; undefined for tools of a newer service that this page does not know. */
export function toolOf(name: string): Tool | undefined {
  return Object.hasOwn(TOOLS, name) ? TOOLS[name as ToolName] : undefined;
}
