import { expect, it } from "vitest";
import { deviceName } from "./user-agent.ts";

const APPLE = "(KHTML, like Gecko)";

it.each([
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"],
  [
    `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ${APPLE} Chrome/142.0.0.0 Safari/537.36`,
    "Chrome on Linux",
  ],
  [
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 ${APPLE} Version/26.0 Safari/605.1.15`,
    "Safari on Mac",
  ],
  [
    `Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 ${APPLE} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`,
    "Edge on Windows",
  ],
  [
    `Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 ${APPLE} CriOS/142.0 Mobile/15E148 Safari/604.1`,
    "Chrome on iPhone",
  ],
  [
    `Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 ${APPLE} Chrome/142.0.0.0 Mobile Safari/537.36`,
    "Chrome on Android",
  ],
  ["curl/8.14.1", "curl"],
  ["", "An unknown device"],
])("%s", (userAgent, name) => {
  expect(deviceName(userAgent)).toBe(name);
});
