/** For tests of saving a note: a server and a draft storage. */

import { BLANK } from "../../api/note-fields.ts";
import type { Note } from "../../api/types.ts";
import type { Draft } from "../../offline/store.ts";

/** A server with one note, with its versions, `If-Match`, the trash, and a switch for the network. */
export class Server {
  note: Note | null = null;
  online = true;
  /** Requests take effect, but their answers are lost. */
  lost = false;
  /** The account's quota is used up. */
  full = false;
  /** How many notes were created. */
  created = 0;
  requests: string[] = [];
  #answers = new Map<string, Note>();
  /** Runs once, between the next request's arrival and its answer. */
  meanwhile: (() => void) | null = null;
  /** The next answer is held back until this resolves. */
  held: Promise<unknown> | null = null;

  answer = async (path: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { held } = this;
    this.held = null;
    const answer = this.#answer(path, init);
    await held;
    return answer;
  };

  #answer = (path: string | URL | Request, init: RequestInit): Promise<Response> => {
    this.requests.push(`${init.method} ${String(path)}`);
    if (!this.online) return Promise.reject(new TypeError("network"));
    this.meanwhile?.();
    this.meanwhile = null;
    const fields = init.body ? (JSON.parse(init.body as string) as Partial<Note>) : {};
    const key = new Headers(init.headers).get("idempotency-key") ?? "";
    const before = this.#answers.get(key);
    if (before && this.lost) return Promise.reject(new TypeError("network"));
    if (before)
      return Promise.resolve(
        init.method === "DELETE" ? new Response(null, { status: 204 }) : Response.json(before),
      );
    const isRestore = String(path).endsWith("/restore");
    const refused = this.#refusal(init, isRestore);
    if (refused) return refused;
    if (isRestore) {
      if (this.note?.deleted_at) this.change({ deleted_at: null });
    } else if (init.method === "POST") {
      this.created += 1;
      this.change({ ...fields, id: "n1" });
    } else if (init.method === "DELETE") {
      if (!this.note?.deleted_at) this.change({ deleted_at: "2026-01-02T00:00:00Z" });
    } else this.change(fields);
    this.#answers.set(key, this.note as Note);
    if (this.lost) return Promise.reject(new TypeError("network"));
    return Promise.resolve(
      init.method === "DELETE" ? new Response(null, { status: 204 }) : Response.json(this.note),
    );
  };

  #refusal({ method, headers }: RequestInit, isRestore: boolean): Promise<Response> | null {
    const full = this.full && !isRestore ? this.#problem(409, "quota_exceeded", {}) : null;
    if (method === "POST" && !isRestore) return full;
    if (!this.note || (method === "PATCH" && this.note.deleted_at))
      return this.#problem(404, "not_found", {});
    const stale = new Headers(headers).get("if-match") !== `"${this.note.version}"`;
    if (!stale || Boolean(this.note.deleted_at) !== isRestore) return method === "PATCH" ? full : null;
    return this.#problem(412, "version_conflict", { current: this.note });
  }

  change(fields: Partial<Note>): Note {
    const version = (this.note?.version ?? 0) + 1;
    const blank = { ...BLANK, aliases: [], created_at: "", id: "n1" };
    const time = { updated_at: "2026-01-01T00:00:00Z", updated_by: { kind: "user" as const } };
    return (this.note = { ...blank, ...this.note, ...time, ...fields, version });
  }

  #problem(status: number, code: string, members: object): Promise<Response> {
    return Promise.resolve(Response.json({ code, detail: code, ...members }, { status }));
  }
}

/** Drafts that outlive the page. */
export class FakeDraftStorage {
  stored = new Map<string, Draft>();
  put = (draft: Omit<Draft, "tab">) => {
    this.stored.set(draft.key, structuredClone({ ...draft, tab: "here" }));
    return Promise.resolve(true);
  };
  drop = (key: string) => void this.stored.delete(key);
  get only(): Draft {
    return [...this.stored.values()][0] as Draft;
  }
}
