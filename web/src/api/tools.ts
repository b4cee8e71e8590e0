/** The registry of the assistant's tools. */

import { TOOLS, type Tool, type ToolName } from "./generated/tools.ts";

export type { Tool, ToolName };

/** A tool by its name; a later version of the service may have one that this page does not know. */
export function toolOf(name: string): Tool | undefined {
  return Object.hasOwn(TOOLS, name) ? TOOLS[name as ToolName] : undefined;
}
