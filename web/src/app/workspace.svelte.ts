/** Everything of a signed-in page, wired together: the only place where its parts know of each other. */

import { createContext } from "svelte";

import type { NoteFields } from "../api/calls.ts";
import type { Id, Note, ServerMessage, User } from "../api/types.ts";
import { Chat } from "../chat/chat.svelte.ts";
import { ChatDrafts } from "../chat/drafts.ts";
import { EventLog } from "../event-log/event-log.svelte.ts";
import { patience } from "../lib/backoff.ts";
import { LiveSocket } from "../live/socket.svelte.ts";
import { Leaving } from "./sign-out-guard.svelte.ts";
import { Notices } from "./notices.ts";
import { Editor } from "../notes/editor.svelte.ts";
import { Notes } from "../notes/list/notes.svelte.ts";
import type { OpenNote } from "../notes/sync/open-note.svelte.ts";
import { summaryOf } from "../notes/list/order.ts";
import { Renaming } from "../notes/links/renaming.ts";
import { Trash } from "../notes/editor/trash.ts";
import { Search } from "../notes/list/search.svelte.ts";
import { BuildWatch } from "../offline/build-watch.ts";
import { Drafts } from "../offline/drafts.ts";
import { Elsewhere } from "../offline/other-tabs.svelte.ts";
import { Library } from "../offline/note-cache.ts";
import { Reader } from "../offline/prefetcher.ts";
import { Store } from "../offline/store.ts";
import { Settings } from "./settings.svelte.ts";
import { outcome, Transfer } from "../notes/transfer/transfer.svelte.ts";
import { Layout } from "../layout/layout.svelte.ts";
import { Place } from "../layout/route.svelte.ts";
import { Toasts } from "../ui/toasts.svelte.ts";

/** So long at most the page waits for what another tab has left. */
const ADOPT_MS = 500;

export class Workspace {
  readonly place = new Place();
  readonly layout = new Layout(this.place);
  readonly toasts = new Toasts();
  readonly log = new EventLog();
  readonly search: Search;
  readonly settings = new Settings();
  readonly transfer = new Transfer((status) => {
    if (this.layout.dialog !== "files") this.toasts.say(`The import is done: ${outcome(status)}.`);
  });
  readonly notes: Notes;
  readonly editor: Editor;
  readonly elsewhere = new Elsewhere();
  readonly trash: Trash;
  readonly renaming: Renaming;
  readonly chat: Chat;
  readonly socket: LiveSocket;
  readonly user: User;
  readonly leaving: Leaving;
  readonly notices = new Notices(this);
  #store: Store;
  #drafts: Drafts;
  #reader: Reader;
  #build: BuildWatch;
  #greeted = false;
  #stopped = new AbortController();

  constructor(user: User, signedOut: () => void) {
    this.user = user;
    this.#store = new Store(user.id);
    this.#drafts = new Drafts(this.#store, user.id, {
      adopted: (draft) => this.editor.resume(draft),
      elsewhere: (drafts) => (this.elsewhere.drafts = drafts),
    });
    const library = new Library(this.#store);
    this.#reader = new Reader(library, user.id, () => this.notes.list);
    this.#build = new BuildWatch(() =>
      this.toasts.offer("A new version is here.", { label: "Reload", run: () => location.reload() }),
    );
    this.search = new Search(library);
    this.notes = new Notes(
      {
        changed: (change) => void this.editor.changed(change),
        writing: (id) => this.editor.hand.writing(id),
        going: () => this.going,
      },
      library,
    );
    const events = {
      saved: (note: Note) => this.notes.wrote(note),
      trashed: (id: Id) => this.notes.removed(id),
      stayed: (note: Note, open: OpenNote) => {
        this.notes.wrote(note);
        this.notices.stayed(open);
      },
      moved: (id: Id | null) => this.place.showNote(id),
      stuck: (note: OpenNote) => this.notices.stuck(note),
      read: (note: Note) => library.read(note, summaryOf(note)),
    };
    this.editor = new Editor(events, this.#drafts, library);
    this.trash = new Trash(this);
    this.leaving = new Leaving(this.editor, this.#drafts, this.toasts);
    this.renaming = new Renaming(this);
    const chatEvents = {
      moved: (id: Id | null) => this.place.showChat(id),
      failed: (message: string) => this.toasts.fail(message),
      waits: (id: Id) => this.notices.waits(id),
    };
    this.chat = new Chat(this.log, chatEvents, new ChatDrafts(user.id));
    this.socket = new LiveSocket(this.log, {
      since: () => this.notes.feed.cursor,
      message: (message) => this.#hear(message),
      signedOut,
    });
  }

  /** Loads what the address names and goes live. Returns how to stop. */
  start(): () => void {
    const leave = () => this.editor.hand.flushOnLeave();
    const back = () => this.#follow();
    const warn = (event: BeforeUnloadEvent) => {
      if (this.editor.hand.unkept) event.preventDefault();
    };
    addEventListener("pagehide", leave);
    addEventListener("beforeunload", warn);
    addEventListener("popstate", back);
    void this.notes.load().then(() => {
      this.#reader.soon();
      void this.socket.run();
    });
    void this.settings.load();
    this.chat.load();
    this.#followChat();
    // what was left unsaved of the note that the address names is shown with it
    void Promise.race([this.#drafts.adopt(), patience(ADOPT_MS, this.#stopped.signal)]).then(() => {
      const { note } = this.place;
      if (note && !this.editor.current && !this.#stopped.signal.aborted) void this.editor.open(note);
    });
    return () => {
      removeEventListener("pagehide", leave);
      removeEventListener("beforeunload", warn);
      removeEventListener("popstate", back);
      this.socket.stop();
      this.notes.stop();
      this.editor.hand.stop();
      this.trash.stop();
      this.leaving.stop();
      this.settings.stop();
      this.transfer.stop();
      this.chat.stop();
      this.#stopped.abort();
      this.#reader.stop();
      this.#build.stop();
      this.#drafts.stop();
      void this.#store.close();
    };
  }

  /** Notes on their way into the trash: they are not shown any more, whatever the server still has. */
  get going(): Set<Id> {
    return new Set([...this.editor.hand.going, ...this.elsewhere.going]);
  }

  /** What is typed into a note in this browser, while the server has an older one. */
  kept(id: Id): NoteFields | null {
    const open = this.editor.hand.find(id);
    return open?.typed ? open : (this.elsewhere.find(id)?.fields ?? null);
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

  /** A note that is sent behind the open one. */
  showNote(note: OpenNote): void {
    this.layout.pane = "note";
    this.editor.show(note);
  }

  #follow(): void {
    this.place.reread();
    if (this.place.note) void this.editor.open(this.place.note);
    else if (this.editor.current) this.editor.close();
    this.#followChat();
  }

  #followChat(): void {
    if (this.place.chat !== this.chat.current.id) this.chat.open(this.place.chat);
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case "hello":
        if (message.cursor > (this.notes.feed.cursor ?? Infinity)) void this.notes.feed.catchUp();
        if (this.#greeted || this.editor.missed) void this.editor.again();
        void this.#drafts.adopt();
        // the first hello follows the first load; a run may have begun in between
        if (this.#greeted) this.chat.refresh();
        else this.chat.refreshThread();
        if (this.#greeted) void this.#build.look();
        this.#greeted = true;
        return;
      case "note_changed":
        this.#reader.soon();
        return this.notes.feed.heard(message);
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
