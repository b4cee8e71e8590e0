/** The Web Locks API: locks shared by all tabs of the browser. */

/** Undefined outside secure contexts (HTTPS or localhost): browsers provide no locks there. */
export function locks(): LockManager | undefined {
  return navigator.locks as LockManager | undefined;
}
