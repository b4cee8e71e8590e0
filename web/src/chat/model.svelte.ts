/** The model that answers. */

import { reportUnlessRequestFailure } from "../api/http.ts";
import { chat as calls } from "../api/calls.ts";
import type { ModelStatus } from "../api/types.ts";
import { backoffDelay, sleep } from "../lib/backoff.ts";

export class ModelInUse {
  /** Null until it is loaded. */
  status = $state.raw<ModelStatus | null>(null);

  get isDemo(): boolean {
    return this.status?.mode === "demo";
  }

  async load(stopped: AbortSignal): Promise<void> {
    for (let failures = 0; !this.status && !stopped.aborted; failures++) {
      try {
        this.status = await calls.status();
      } catch (error) {
        reportUnlessRequestFailure(error);
        await sleep(backoffDelay(failures), stopped);
      }
    }
  }
}
