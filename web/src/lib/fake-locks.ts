/** For tests: the Web Locks API, which jsdom lacks, as far as tabs use it: exclusive, shared, `ifAvailable`, `steal`. */

interface Waiting {
  mode: LockMode;
  take: () => void;
}

interface Held {
  mode: LockMode;
  lose: (reason: Error) => void;
}

export class FakeLocks {
  #held = new Map<string, Set<Held>>();
  #waiting = new Map<string, Waiting[]>();

  query(): Promise<LockManagerSnapshot> {
    const held = [...this.#held].flatMap(([name, all]) => [...all].map(({ mode }) => ({ name, mode })));
    return Promise.resolve({ held, pending: [] });
  }

  request(name: string, ...rest: unknown[]): Promise<unknown> {
    const work = rest.at(-1) as (lock: Lock | null) => unknown;
    const options = (rest.length > 1 ? rest[0] : {}) as LockOptions;
    const mode = options.mode ?? "exclusive";
    return new Promise((resolve, reject) => {
      if (options.steal) this.#steal(name);
      const free = this.#isFree(name, mode);
      if (!free && options.ifAvailable) return resolve(work(null));
      const waiting: Waiting = {
        mode,
        take: () => void this.#hold(name, mode, work).then(resolve, reject),
      };
      if (free) return waiting.take();
      this.#queue(name).push(waiting);
      options.signal?.addEventListener("abort", () => {
        const queue = this.#queue(name);
        if (!queue.includes(waiting)) return;
        queue.splice(queue.indexOf(waiting), 1);
        reject(new DOMException("aborted", "AbortError"));
      });
    });
  }

  async #hold(name: string, mode: LockMode, work: (lock: Lock) => unknown): Promise<unknown> {
    const all = this.#held.get(name) ?? new Set();
    this.#held.set(name, all);
    let held: Held | undefined;
    const stolen = new Promise((_, lose) => {
      held = { mode, lose };
      all.add(held);
    });
    try {
      return await Promise.race([work({ name, mode }), stolen]);
    } finally {
      if (held) all.delete(held);
      this.#next(name);
    }
  }

  #steal(name: string): void {
    for (const { lose } of this.#held.get(name) ?? []) lose(new DOMException("stolen", "AbortError"));
    this.#held.get(name)?.clear();
  }

  #next(name: string): void {
    const queue = this.#queue(name);
    for (let first = queue[0]; first && this.#isFree(name, first.mode); first = queue[0]) {
      queue.shift();
      first.take();
    }
  }

  #queue(name: string): Waiting[] {
    const queue = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, queue);
    return queue;
  }

  #isFree(name: string, mode: LockMode): boolean {
    const held = [...(this.#held.get(name) ?? [])];
    return held.length === 0 || (mode === "shared" && held.every((one) => one.mode === "shared"));
  }
}
