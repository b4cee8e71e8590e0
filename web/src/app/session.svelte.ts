/** The session. The server puts the signed-in user into a readable cookie, so that the page opens without a request. */

import { auth } from "../api/calls.ts";
import { explain, onSignedOut } from "../api/http.ts";
import type { User } from "../api/types.ts";
import { forgetDrafts } from "../chat/drafts.ts";
import { deleteDatabase, clearCachedNotes } from "../offline/store.ts";

const COOKIE = "inkstream_user";

function signedInUser(): User | null {
  const mine = document.cookie.split("; ").find((one) => one.startsWith(`${COOKIE}=`));
  const [id, username] = mine?.slice(COOKIE.length + 1).split(":") ?? [];
  return id && username ? { id, username } : null;
}

function forget(): void {
  document.cookie = `${COOKIE}=; path=/; max-age=0`;
}

/** Implemented by the signed-in page. */
export interface SessionHost {
  /** Called before a sign-out; false cancels it. */
  maySignOut(): Promise<boolean>;
  failed(message: string): void;
}

export class Session {
  user = $state.raw<User | null>(signedInUser());
  /** The session ended while the page was in use. */
  ended = $state(false);
  host: SessionHost | null = null;
  /** The tabs of one browser sign out together. */
  #tabs = new BroadcastChannel("inkstream-session");

  constructor() {
    onSignedOut(() => this.end());
    this.#tabs.onmessage = () => (this.user = null);
  }

  /** Another tab may have signed in somebody else meanwhile. */
  refresh(): void {
    const now = signedInUser();
    if (now && now.id !== this.user?.id) this.#begin(now);
  }

  async signIn(username: string, password: string): Promise<void> {
    this.#begin((await auth.login(username, password)).user);
  }

  async register(username: string, password: string): Promise<void> {
    const { user } = await auth.register(username, password);
    const note = await import("../notes/welcome.ts").then(
      ({ welcome }) => welcome(user.id),
      () => null, // the welcome note is optional
    );
    if (note && location.pathname === "/") history.replaceState(null, "", `/?note=${note}`);
    this.#begin(user);
  }

  /** Signs out and deletes the user's data from this browser. Needs the server, which deletes the session cookie. */
  async signOut(): Promise<void> {
    const { user, host } = this;
    if (!user || (host && !(await host.maySignOut()))) return;
    try {
      await auth.logout();
    } catch (error) {
      if (this.user) return host?.failed(`You are still signed in: ${explain(error)}`);
    }
    forget();
    this.user = null;
    this.#tabs.postMessage("out");
    forgetDrafts(user.id);
    await deleteDatabase(user.id);
  }

  /** The server no longer knows the session. Drafts stay in the browser for the next sign-in. */
  end(): void {
    const { user } = this;
    this.ended = Boolean(user);
    if (signedInUser()?.id === user?.id) forget();
    this.user = null;
    if (user) void clearCachedNotes(user.id);
  }

  #begin(user: User): void {
    this.user = user;
    this.ended = false;
  }
}
