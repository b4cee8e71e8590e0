/** The theme: light, dark, or the system's. On the next load, `theme.js` applies it before the first paint. */

import { storedValue } from "../lib/browser-storage.ts";

export type Theme = "system" | "light" | "dark";

const store = storedValue("theme", "system");

class ThemeChoice {
  choice = $state<Theme>(store.read() as Theme);

  choose(theme: Theme): void {
    this.choice = theme;
    store.write(theme);
    if (theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
  }

  /** The theme after the current one, in the order in which the button cycles. */
  next(): Theme {
    const order: Theme[] = ["system", "light", "dark"];
    return order[(order.indexOf(this.choice) + 1) % order.length] ?? "system";
  }
}

export const theme = new ThemeChoice();
