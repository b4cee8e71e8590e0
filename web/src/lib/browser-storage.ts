/** Single values in the browser's storage: of all windows, or of one. */

export interface StoredValue {
  read(): string;
  write(value: string): void;
}

/** `storage`: the local storage, or that of this window. A function, because access to it may be denied. */
export function storedValue(name: string, fallback: string, storage = () => localStorage): StoredValue {
  const key = `inkstream.${name}`;
  return {
    read: () => {
      try {
        return storage().getItem(key) ?? fallback;
      } catch {
        return fallback; // the browser denies access to storage
      }
    },
    write: (value) => {
      try {
        storage().setItem(key, value);
      } catch {
        // storage is denied or full: the value is lost with the page
      }
    },
  };
}
