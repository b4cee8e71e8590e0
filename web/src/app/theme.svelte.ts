/** Light, dark, or as the system is. The choice is applied again by `theme.js` before the next first paint. */

import { storedValue } from "../lib/local-storage.ts";

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

  /** The one after the choice of now. */
  next(): Theme {
    const order: Theme[] = ["system", "light", "dark"];
    return order[(order.indexOf(this.choice) + 1) % order.length] ?? "system";
  }
}

export const theme = new ThemeChoice();
