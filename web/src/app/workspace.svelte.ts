/** The composition root of the signed-in page: creates all its parts and connects them. */

import type { Id, Note, ServerMessage, UndoneNote, User } from "../api/types.ts";
import { Chat, setChat } from "../chat/chat.svelte.ts";
import { ChatDrafts } from "../chat/drafts.ts";
import { EventLog, setEventLog } from "../event-log/event-log.svelte.ts";
import { sleep } from "../lib/backoff.ts";
import { onReport } from "../lib/report.ts";
import { LiveSocket, setSocket } from "../live/socket.svelte.ts";
import { SignOutGuard } from "./sign-out-guard.svelte.ts";
import { Notices } from "./notices.ts";
import { Editor, setEditor } from "../notes/editor.svelte.ts";
import { Notes, setNotes } from "../notes/list/notes.svelte.ts";
import { LocalChanges, setLocalChanges } from "../notes/local-changes.ts";
import { NoteNavigation, setNavigation } from "../notes/navigation.ts";
import type { OpenNote } from "../notes/sync/open-note.svelte.ts";
import { summaryOf } from "../api/note-summary.ts";
import { Renaming, setRenaming } from "../notes/links/renaming.ts";
import { setTrash, Trash } from "../notes/editor/trash.ts";
import { Search, setSearch } from "../notes/list/search.svelte.ts";
import { setTags, Tags } from "../notes/list/tags.svelte.ts";
import { BuildWatch } from "../offline/build-watch.ts";
import { Drafts } from "../offline/drafts.ts";
import { OtherTabs } from "../offline/other-tabs.svelte.ts";
import { NoteCache } from "../offline/note-cache.ts";
import { Prefetcher } from "../offline/prefetcher.ts";
import { Store } from "../offline/store.ts";
import { setSettings, Settings } from "./settings.svelte.ts";
import { outcome, setTransfer, Transfer } from "../notes/transfer/transfer.svelte.ts";
import { Layout, setLayout } from "../layout/layout.svelte.ts";
import { Places, setPlaces } from "../layout/places.ts";
import { Route, setRoute } from "../layout/route.svelte.ts";
import { ALL_NOTES, isSameShelf } from "../layout/shelf.ts";
import { setToasts, Toasts } from "../ui/toasts.svelte.ts";

/** How long opening the note waits for drafts to be adopted from closed tabs, at most. */
const ADOPT_MS = 500;

export class Workspace {
  readonly route = new Route();
  readonly layout = new Layout(this.route);
  readonly places: Places;
  readonly toasts = new Toasts();
  readonly log = new EventLog();
  readonly search: Search;
  readonly tags = new Tags();
  readonly settings = new Settings();
  readonly transfer = new Transfer((status) => {
    if (this.layout.dialog !== "files") this.toasts.say(`The import is done: ${outcome(status)}.`);
  });
  readonly notes: Notes;
  readonly editor: Editor;
  readonly otherTabs = new OtherTabs();
  readonly localChanges: LocalChanges;
  readonly navigation: NoteNavigation;
  readonly trash: Trash;
  readonly renaming: Renaming;
  readonly chat: Chat;
  readonly socket: LiveSocket;
  readonly signOutGuard: SignOutGuard;
  readonly notices = new Notices(this);
  #store: Store;
  #drafts: Drafts;
  #prefetcher: Prefetcher;
  #build: BuildWatch;
  #greeted = false;
  #stopped = new AbortController();

  constructor(user: User, signedOut: () => void) {
    // toasts with the same text are shown once
    onReport(() => this.toasts.fail("Something unexpected happened. Details are in the browser’s console."));
    this.places = new Places(user.id);
    this.#store = new Store(user.id);
    this.#drafts = new Drafts(this.#store, user.id, {
      adopted: (draft) => this.editor.resume(draft),
      otherTabs: (drafts) => (this.otherTabs.drafts = drafts),
    });
    const cache = new NoteCache(this.#store);
    this.#prefetcher = new Prefetcher(cache, user.id, () => this.notes.list);
    this.#build = new BuildWatch(() =>
      this.toasts.offer("A new version is available.", { label: "Reload", run: () => location.reload() }),
    );
    this.search = new Search(cache);
    this.notes = new Notes(
      {
        changed: (change) => void this.editor.changed(change),
        writing: (id) => this.editor.openNotes.writing(id),
        going: () => this.localChanges.going,
        moved: (shelf) => {
          this.route.showShelf(shelf);
          this.places.shelf = shelf;
          this.places.save();
        },
      },
      cache,
    );
    const events = {
      saved: (note: Note) => this.notes.wrote(note),
      trashed: (id: Id) => this.notes.trashed(id),
      stayed: (note: Note, open: OpenNote) => {
        this.notes.wrote(note);
        this.notices.stayed(open);
      },
      moved: (id: Id | null) => {
        this.route.showNote(id);
        this.places.note = id;
        this.places.save();
      },
      stuck: (note: OpenNote) => this.notices.stuck(note),
      read: (note: Note) => cache.read(note, summaryOf(note)),
    };
    this.editor = new Editor(events, this.#drafts, cache);
    this.localChanges = new LocalChanges(this.editor.openNotes, this.otherTabs);
    this.navigation = new NoteNavigation(this.editor, this.layout, this.route);
    this.trash = new Trash(this);
    this.signOutGuard = new SignOutGuard(this.editor, this.#drafts, this.toasts);
    this.renaming = new Renaming(this);
    const chatEvents = {
      moved: (id: Id | null, isStep: boolean) => this.route.showChat(id, isStep),
      failed: (message: string) => this.toasts.fail(message),
      tookBack: (notes: UndoneNote[]) => this.notices.tookBack(notes),
      waits: (id: Id) => this.notices.waits(id),
    };
    this.chat = new Chat(this.log, chatEvents, new ChatDrafts(user.id));
    this.socket = new LiveSocket(this.log, {
      since: () => this.notes.feed.cursor,
      message: (message) => this.#receive(message),
      signedOut,
    });
  }

  /** Sets each feature's context. To be called during the initialisation of the root component. */
  provideContexts(): void {
    setRoute(this.route);
    setLayout(this.layout);
    setPlaces(this.places);
    setToasts(this.toasts);
    setSettings(this.settings);
    setSocket(this.socket);
    setEventLog(this.log);
    setNotes(this.notes);
    setSearch(this.search);
    setTags(this.tags);
    setEditor(this.editor);
    setNavigation(this.navigation);
    setLocalChanges(this.localChanges);
    setRenaming(this.renaming);
    setTrash(this.trash);
    setTransfer(this.transfer);
    setChat(this.chat);
  }

  /** Loads what the route names, then connects. Returns the function that stops everything. */
  start(): () => void {
    const leave = () => {
      this.editor.openNotes.flushOnLeave();
      this.places.save();
    };
    const back = () => this.#follow();
    const warn = (event: BeforeUnloadEvent) => {
      if (this.editor.openNotes.hasUnstored) event.preventDefault();
    };
    addEventListener("pagehide", leave);
    addEventListener("beforeunload", warn);
    addEventListener("popstate", back);
    const isReturn = this.route.shelf === null && this.route.note === null && this.route.view === "all";
    const shelf = this.route.shelf ?? this.places.shelf;
    Object.assign(this.notes, shelf);
    this.route.showShelf(shelf);
    void this.notes.load().then(() => {
      this.#prefetcher.schedule();
      void this.socket.run();
    });
    void this.settings.load();
    this.chat.load();
    this.#followChat();
    // adopted before the route's note is opened, so that a draft of that note is shown with it
    void Promise.race([this.#drafts.adopt(), sleep(ADOPT_MS, this.#stopped.signal)]).then(() => {
      const { note } = this.route;
      if (this.editor.current || this.editor.loading || this.#stopped.signal.aborted) return;
      if (note) void this.editor.open(note);
      else if (isReturn) void this.#openLast();
    });
    return () => {
      removeEventListener("pagehide", leave);
      removeEventListener("beforeunload", warn);
      removeEventListener("popstate", back);
      this.socket.stop();
      this.notes.stop();
      this.editor.openNotes.stop();
      this.trash.stop();
      this.signOutGuard.stop();
      this.settings.stop();
      this.transfer.stop();
      this.chat.stop();
      this.#stopped.abort();
      this.#prefetcher.stop();
      this.#build.stop();
      this.#drafts.stop();
      void this.#store.close();
    };
  }

  /** Opens the note of the last visit, unless it is gone. */
  async #openLast(): Promise<void> {
    const { note } = this.places;
    if (!note) return;
    this.route.resume(note);
    await this.editor.open(note);
    if (this.editor.error || (this.editor.current?.id === note && this.editor.current.gone))
      this.editor.close();
  }

  #follow(): void {
    this.route.reread();
    const shelf = this.route.shelf ?? ALL_NOTES;
    if (!isSameShelf(this.notes, shelf)) void this.notes.show(shelf.view, shelf.tag);
    if (this.route.note) void this.editor.open(this.route.note);
    else if (this.editor.current) this.editor.close();
    this.#followChat();
  }

  #followChat(): void {
    if (this.route.chat !== this.chat.current.id) this.chat.open(this.route.chat);
  }

  #receive(message: ServerMessage): void {
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
        this.#prefetcher.schedule();
        return this.notes.feed.receive(message);
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
        return this.transfer.progress(message.import_id, message.processed, message.total);
      case "pong":
        return;
    }
  }
}
