/** The models that answer: which there are, and which one it is. */

import { reportUnlessRequestFailure } from "../api/http.ts";
import { chat as calls } from "../api/calls.ts";
import type { AvailableModel, AvailableModels, ModelStatus } from "../api/types.ts";
import { backoffDelay, sleep } from "../lib/backoff.ts";

export class ModelInUse {
  /** Of the default model. Null until it is loaded. */
  status = $state.raw<ModelStatus | null>(null);
  /** Null until they are loaded. */
  available = $state.raw<AvailableModels | null>(null);

  get isDemo(): boolean {
    return this.status?.mode === "demo";
  }

  /** There is something to choose: several models, or how much the only one reasons. */
  get isChoice(): boolean {
    const models = this.available?.models ?? [];
    return models.length > 1 || models.some(({ reasoning }) => reasoning.length > 0);
  }

  async load(stopped: AbortSignal): Promise<void> {
    for (let failures = 0; !this.status && !stopped.aborted; failures++) {
      try {
        [this.status, this.available] = await Promise.all([calls.status(), calls.models()]);
      } catch (error) {
        reportUnlessRequestFailure(error);
        await sleep(backoffDelay(failures), stopped);
      }
    }
  }

  /** Reads the models again: a server may have refused an effort, or was started with another list. */
  async refresh(): Promise<void> {
    try {
      this.available = await calls.models();
    } catch (error) {
      reportUnlessRequestFailure(error); // the ones that are known stay
    }
  }

  find(id: string | null): AvailableModel | null {
    return this.available?.models.find((model) => model.id === id) ?? null;
  }

  /** The model that answers where this one is chosen: the default, if none is or it is not available any more. */
  answering(id: string | null): AvailableModel | null {
    return this.find(id) ?? this.find(this.available?.default ?? null);
  }

  /** What people call the model of this id. */
  labelOf(id: string): string {
    return this.find(id)?.label ?? id;
  }
}
