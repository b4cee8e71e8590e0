/** Sizes in bytes, for a person. */

const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** `0 bytes`, `12 KB`, `1.5 MB`: in the largest unit of which there is one, with one digit after the point below 10. */
export function readableSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const rounded = unit > 0 && value < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return `${rounded} ${UNITS[unit]}`;
}
