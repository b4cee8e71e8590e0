/** Who is signed in. */

import { auth } from "./api/calls.ts";
import { explain, isPassing, onSignedOut, Problem } from "./api/http.ts";
import type { User } from "./api/types.ts";
import { backoff, patience } from "./live/backoff.ts";

export class Session {
  /** Undefined until the server has been asked. */
  user = $state.raw<User | null | undefined>(undefined);
  /** Why the server could not be asked yet. */
  trouble = $state<string | null>(null);
  /** The session ended while the page was in use. */
  ended = $state(false);

  constructor() {
    onSignedOut(() => this.end());
  }

  async find(): Promise<void> {
    for (let failures = 0; this.user === undefined; failures++) {
      try {
        this.user = (await auth.me()).user;
      } catch (error) {
        if (error instanceof Problem && error.status === 401) this.user = null;
        else if (!isPassing(error)) return void (this.trouble = explain(error));
        else {
          this.trouble = explain(error);
          await patience(backoff(failures), new AbortController().signal);
        }
      }
    }
    this.trouble = null;
  }

  async signIn(username: string, password: string): Promise<void> {
    this.user = (await auth.login(username, password)).user;
    this.ended = false;
  }

  async register(username: string, password: string): Promise<void> {
    this.user = (await auth.register(username, password)).user;
    this.ended = false;
  }

  async signOut(): Promise<void> {
    try {
      await auth.logout();
    } finally {
      this.user = null;
    }
  }

  end(): void {
    this.ended = Boolean(this.user);
    this.user = null;
  }
}
