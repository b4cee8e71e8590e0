/** The user's control over a run: cancel it, approve or deny its tool calls, undo its changes. */

import { chat as calls } from "../../api/calls.ts";
import { explain, Problem } from "../../api/http.ts";
import type { Decision, Id, UndoneRun } from "../../api/types.ts";
import type { Answer } from "./answer.svelte.ts";
import type { ToolPart } from "./parts.svelte.ts";

export class RunControl {
  #failed: (message: string) => void;

  constructor(failed: (message: string) => void) {
    this.#failed = failed;
  }

  async cancel(answer: Answer | null): Promise<void> {
    if (!answer?.runId || answer.stopping) return;
    answer.stopping = true;
    try {
      await calls.cancel(answer.runId);
    } catch (error) {
      answer.stopping = false;
      this.#failed(explain(error));
    }
  }

  /** Approves or denies a tool call that waits for approval. */
  async decide(
    answer: Answer,
    tool: ToolPart,
    approve: boolean,
    { remember, reason }: { remember: boolean; reason: string },
  ): Promise<void> {
    if (!answer.runId || tool.deciding) return;
    tool.deciding = true;
    const decision: Decision = { call_id: tool.callId, approve };
    if (approve && remember) decision.remember = "conversation";
    if (!approve && reason) decision.reason = reason;
    try {
      await calls.decide(answer.runId, [decision]);
      // the stream brings the same change, possibly later
      if (tool.status === "waiting") tool.status = approve ? "running" : "denied";
    } catch (error) {
      tool.deciding = false;
      const late = error instanceof Problem && error.code === "validation_failed";
      this.#failed(late ? "This was already decided in another window." : explain(error));
    }
  }

  undo(runId: Id): Promise<UndoneRun> {
    return calls.undo(runId);
  }
}
