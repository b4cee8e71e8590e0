/** Single values in the browser's local storage. */

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
        return fallback; // the browser denies access to storage
      }
    },
    write: (value) => {
      try {
        localStorage.setItem(key, value);
      } catch {
        // storage is denied or full: the value is lost with the page
      }
    },
  };
}
