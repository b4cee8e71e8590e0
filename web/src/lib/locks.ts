/** The browser's locks, which its tabs share. */

/** Undefined on a page that is neither HTTPS nor of this machine: browsers give such pages no locks. */
export function locks(): LockManager | undefined {
  return navigator.locks as LockManager | undefined;
}
