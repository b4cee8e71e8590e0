/** Small choices that a browser remembers. */

export interface StoredValue {
  read(): string;
  write(value: string): void;
}

export function storedValue(name: string, fallback: string): StoredValue {
  const key = `inkstream.${name}`;
  return {
    read: () => {
      try {
        return localStorage.getItem(key) ?? fallback;
      } catch {
        return fallback; // storage is closed to us
      }
    },
    write: (value) => {
      try {
        localStorage.setItem(key, value);
      } catch {
        // storage is closed to us or full: the choice lasts as long as the page
      }
    },
  };
}
