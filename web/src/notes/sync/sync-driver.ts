/** Runs the state machine of one note: feeds it the events one after the other, and carries out the effects. */

import { notes as calls } from "../../api/calls.ts";
import { explain, isPassing, Problem, reportUnlessRequestFailure, Unreachable } from "../../api/http.ts";
import type { Note } from "../../api/types.ts";
import { newId } from "../../lib/ids.ts";
import { report } from "../../lib/report.ts";
import { DraftAutosave } from "../../offline/draft-autosave.svelte.ts";
import { type NoteRequest, toStored } from "./note-draft.ts";
import type { NoteListener } from "./note-listener.ts";
import { heldReason, isSaving, type NoteSync, step, type SyncEffect, type SyncEvent } from "./note-sync.ts";
import { SaveScheduler } from "./save-scheduler.ts";

export class SyncDriver {
  readonly autosave: DraftAutosave;
  /** The request under way, until its outcome has been handled. */
  request: Promise<void> | null = null;
  #sync: NoteSync;
  #listener: NoteListener;
  #show: (sync: NoteSync) => void;
  #scheduler = new SaveScheduler({
    save: () => this.dispatch({ type: "saveDue" }),
    retry: () => this.dispatch({ type: "retryDue" }),
  });
  /** Events that wait for the effects of an earlier one. */
  #queue: SyncEvent[] = [];
  #isRunning = false;
  /** Of the callers of `flush`. */
  #flushed: (() => void)[] = [];

  /** `show` is called with each new state, before its effects. */
  constructor(sync: NoteSync, listener: NoteListener, show: (sync: NoteSync) => void) {
    this.#sync = sync;
    this.#listener = listener;
    this.#show = show;
    this.autosave = new DraftAutosave(listener.drafts ?? null, () =>
      toStored(this.#sync.draft, heldReason(this.#sync)),
    );
  }

  /** Handles the event: at once, or after the event whose effect has caused it. */
  dispatch(event: SyncEvent): void {
    this.#queue.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#isRunning = false;
    }
    if (isSaving(this.#sync)) return;
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  /** Saves now. Resolves when there is nothing left to send, or it cannot be sent. */
  flush(): Promise<void> {
    this.#scheduler.cancel();
    const flushed = new Promise<void>((resolve) => this.#flushed.push(resolve));
    this.dispatch({ type: "saveDue" });
    return flushed;
  }

  #step(event: SyncEvent): void {
    const [sync, effects] = step(this.#sync, event, newId());
    this.#sync = sync;
    this.#show(sync);
    for (const effect of effects) {
      try {
        this.#perform(effect);
      } catch (error) {
        report(error); // a bug in a listener must not stop the effects after it
      }
    }
  }

  #perform(effect: SyncEffect): void {
    switch (effect.type) {
      case "send":
        this.request = this.#send(effect.request);
        return;
      case "sendCopy":
        return void send(effect.request, true).catch(reportUnlessRequestFailure);
      case "scheduleSave":
        if (effect.afterMs === null) return this.#scheduler.debounce();
        return this.#scheduler.saveIn(effect.afterMs);
      case "restartMaxWait":
        return this.#scheduler.restartMaxWait();
      case "scheduleRetry":
        return void this.#scheduler.retry(effect.failures);
      case "storeDraft":
        return effect.now ? this.autosave.saveNow() : this.autosave.schedule();
      case "dropDraft":
        return this.autosave.drop();
      case "stop":
        return this.#scheduler.stop();
      case "announceSaved":
        return this.#listener.saved(effect.note);
      case "announceTrashed":
        return this.#listener.trashed?.(effect.id);
      case "announceStayed":
        return this.#listener.stayed?.(effect.note);
      case "announceSettled":
        return this.#listener.settled?.();
    }
  }

  async #send(request: NoteRequest): Promise<void> {
    const outcome = await outcomeOf(request);
    this.request = null;
    this.dispatch(outcome);
  }
}

async function outcomeOf(request: NoteRequest): Promise<SyncEvent> {
  try {
    const note = await send(request, false);
    return { type: "acknowledged", note: note ?? null, at: new Date().toISOString() };
  } catch (error) {
    if (isPassing(error))
      return { type: "unreachable", offline: error instanceof Unreachable && error.offline };
    const problem = error instanceof Problem ? error : null;
    const current = (problem?.members["current"] ?? null) as Note | null;
    return { type: "rejected", code: problem?.code ?? "", reason: explain(error), current };
  }
}

function send(request: NoteRequest, keepalive: boolean): Promise<Note | void> {
  const { key } = request;
  switch (request.kind) {
    case "create":
      return calls.create(request.fields, key, keepalive);
    case "update":
      return calls.update(request.id, request.version, request.fields, key, keepalive);
    case "trash":
      return calls.remove(request.id, request.version, key);
    case "restore":
      return calls.restore(request.id, request.version, key);
  }
}
