/** Who is signed in. The server tells it in a cookie of its own, so that the page opens without asking first. */

import { auth } from "./api/calls.ts";
import { onSignedOut } from "./api/http.ts";
import type { User } from "./api/types.ts";

const COOKIE = "inkstream_user";

function told(): User | null {
  const mine = document.cookie.split("; ").find((one) => one.startsWith(`${COOKIE}=`));
  const [id, username] = mine?.slice(COOKIE.length + 1).split(":") ?? [];
  return id && username ? { id, username } : null;
}

function forget(): void {
  document.cookie = `${COOKIE}=; path=/; max-age=0`;
}

export class Session {
  user = $state.raw<User | null>(told());
  /** The session ended while the page was in use. */
  ended = $state(false);

  constructor() {
    onSignedOut(() => this.end());
  }

  /** Another tab may have signed in somebody else meanwhile. */
  look(): void {
    const now = told();
    if (now && now.id !== this.user?.id) this.#begin(now);
  }

  async signIn(username: string, password: string): Promise<void> {
    this.#begin((await auth.login(username, password)).user);
  }

  async register(username: string, password: string): Promise<void> {
    this.#begin((await auth.register(username, password)).user);
  }

  async signOut(): Promise<void> {
    try {
      await auth.logout();
    } finally {
      forget();
      this.user = null;
    }
  }

  /** The server no longer knows the session. */
  end(): void {
    this.ended = Boolean(this.user);
    if (told()?.id === this.user?.id) forget();
    this.user = null;
  }

  #begin(user: User): void {
    this.user = user;
    this.ended = false;
  }
}
