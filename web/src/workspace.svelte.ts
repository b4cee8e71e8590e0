/** Everything of a signed-in page, wired together: the only place where its parts know of each other. */

import { createContext } from "svelte";

import { notes as noteCalls } from "./api/calls.ts";
import { explain } from "./api/http.ts";
import type { Id, ServerMessage, User } from "./api/types.ts";
import { Chat } from "./chat/chat.svelte.ts";
import { EventLog } from "./live/event-log.svelte.ts";
import { LiveSocket } from "./live/socket.svelte.ts";
import { Editor } from "./notes/editor.svelte.ts";
import { Notes } from "./notes/notes.svelte.ts";
import { Search } from "./notes/search.svelte.ts";
import { Settings } from "./settings.svelte.ts";
import { outcome, Transfer } from "./notes/transfer.svelte.ts";
import { Layout } from "./ui/layout.svelte.ts";
import { Place } from "./ui/place.svelte.ts";
import { Toasts } from "./ui/toasts.svelte.ts";

export class Workspace {
  readonly place = new Place();
  readonly layout = new Layout(this.place);
  readonly toasts = new Toasts();
  readonly log = new EventLog();
  readonly search = new Search();
  readonly settings = new Settings();
  readonly transfer = new Transfer((status) => {
    if (this.layout.dialog !== "files") this.toasts.say(`The import is done: ${outcome(status)}.`);
  });
  readonly notes: Notes;
  readonly editor: Editor;
  readonly chat: Chat;
  readonly socket: LiveSocket;
  readonly user: User;
  #greeted = false;

  constructor(user: User, signedOut: () => void) {
    this.user = user;
    this.notes = new Notes({
      changed: (change) => void this.editor.changed(change),
      writing: (id) => this.editor.writing(id),
    });
    this.editor = new Editor({
      saved: (note) => this.notes.wrote(note),
      moved: (id) => this.place.showNote(id),
    });
    this.chat = new Chat(this.log, {
      moved: (id) => this.place.showChat(id),
      failed: (message) => this.toasts.fail(message),
      waits: (id) => this.#asks(id),
    });
    this.socket = new LiveSocket(this.log, {
      since: () => this.notes.cursor,
      message: (message) => this.#hear(message),
      signedOut,
    });
  }

  /** Loads what the address names and goes live. Returns how to stop. */
  start(): () => void {
    const leave = () => this.editor.flushOnLeave();
    const back = () => this.#follow();
    const warn = (event: BeforeUnloadEvent) => {
      if (this.editor.stuck) event.preventDefault();
    };
    addEventListener("pagehide", leave);
    addEventListener("beforeunload", warn);
    addEventListener("popstate", back);
    void this.notes.load().then(() => this.socket.run());
    void this.settings.load();
    this.chat.load();
    this.#follow();
    return () => {
      removeEventListener("pagehide", leave);
      removeEventListener("beforeunload", warn);
      removeEventListener("popstate", back);
      this.socket.stop();
      this.notes.stop();
      this.editor.stop();
      this.settings.stop();
      this.transfer.stop();
      this.chat.stop();
    };
  }

  openNote(id: Id): void {
    this.layout.pane = "note";
    if (this.place.view === "chat") window.open(`/notes/${id}`, "_blank", "noopener");
    else void this.editor.open(id);
  }

  newNote(): void {
    this.editor.startNew();
    this.layout.pane = "note";
  }

  /** Into the trash, with a way back. */
  async trash(id: Id, title: string): Promise<void> {
    try {
      await this.editor.current?.flush();
      await noteCalls.remove(id);
      this.notes.removed(id);
      if (this.editor.openId === id) this.editor.close();
      if (this.layout.pane === "note") this.layout.pane = "notes";
      this.toasts.say(`“${title}” is in the trash.`, { label: "Undo", run: () => void this.restore(id) });
    } catch (error) {
      this.toasts.fail(explain(error));
    }
  }

  async restore(id: Id): Promise<void> {
    try {
      const note = await noteCalls.restore(id);
      this.notes.wrote(note);
      this.editor.current?.arrived(note);
      await this.editor.open(id);
    } catch (error) {
      this.toasts.fail(explain(error));
    }
  }

  async deleteForGood(id: Id): Promise<void> {
    try {
      await noteCalls.removeForGood(id);
      this.notes.removed(id);
      if (this.editor.openId === id) this.editor.close();
    } catch (error) {
      this.toasts.fail(explain(error));
    }
  }

  #asks(id: Id): void {
    const title = this.chat.conversations.titleOf(id);
    this.toasts.say(`${title ? `“${title}”` : "A conversation"} is waiting for you.`, {
      label: "Look",
      run: () => {
        if (!this.layout.phone && !this.layout.chatOpen) this.layout.toggle("chatOpen");
        this.layout.pane = "chat";
        this.chat.open(id);
      },
    });
  }

  #follow(): void {
    this.place.reread();
    if (this.place.note) void this.editor.open(this.place.note);
    else if (this.editor.current) this.editor.close();
    if (this.place.chat !== this.chat.current.id) this.chat.open(this.place.chat);
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        if (this.notes.cursor !== null && message.cursor > this.notes.cursor) void this.notes.catchUp();
        // the first hello follows the first load; a run may have begun in between
        if (this.#greeted) this.chat.refresh();
        else this.chat.refreshThread();
        this.#greeted = true;
        return;
      case "note_changed":
        return this.notes.heard(message);
      case "run_changed":
        return this.chat.runChanged(message);
      case "conversation_changed":
        return this.chat.conversationChanged(message);
      case "resync":
        void this.notes.load();
        void this.editor.refresh();
        return;
      case "settings_changed":
        return void this.settings.load();
      case "import_progress":
        return this.transfer.heard(message.import_id, message.processed, message.total);
      case "pong":
        return;
    }
  }
}

export const [getWorkspace, setWorkspace] = createContext<Workspace>();
