/** One request to our own server: JSON in, JSON out, problems as exceptions. */

import { report } from "../lib/report.ts";

const TIMEOUT_MS = 20_000;
const UPLOAD_TIMEOUT_MS = 600_000;

/** The server said no, and why. `members` are the problem's extension members. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly members: Record<string, unknown> = {},
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** The server could not be reached, or did not answer in time. Nothing is known about the request's fate. */
export class Unreachable extends Error {
  /** `offline`: this device had no network when it was asked, so that nothing has left it. */
  constructor(readonly offline = false) {
    super("Inkstream cannot be reached right now.");
  }
}

export interface RequestOptions {
  body?: unknown;
  /** Instead of a body; it is given ten minutes. */
  form?: FormData;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Lets the request outlive the page; such a request's body is limited to 64 KiB by browsers. */
  keepalive?: boolean;
}

let signedOut: () => void = () => {};

/** Told whenever the server no longer knows the session. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

export function reportSignedOut(): void {
  signedOut();
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (!response.ok) throw await problemOf(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const timeout = AbortSignal.timeout(options.form ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS);
  const init: RequestInit = {
    method,
    headers: { accept: "application/json", ...options.headers },
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
    keepalive: options.keepalive ?? false,
  };
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { ...init.headers, "content-type": "application/json" };
  }
  if (options.form) init.body = options.form;
  const offline = !navigator.onLine;
  try {
    return await fetch(path, init);
  } catch {
    options.signal?.throwIfAborted();
    throw new Unreachable(offline && !navigator.onLine);
  }
}

/** The exception for an answer that is not a success; tells the session when it has ended. */
export async function problemOf(response: Response): Promise<Problem> {
  let members: Record<string, unknown> = {};
  try {
    members = (await response.json()) as Record<string, unknown>;
  } catch {
    // a proxy in between answered, not the gateway
  }
  const code =
    typeof members["code"] === "string"
      ? members["code"]
      : response.status >= 500
        ? "service_unavailable"
        : "unknown";
  const detail = members["detail"] ?? members["title"];
  const retryAfter = Number(response.headers.get("retry-after"));
  if (code === "auth_required") signedOut();
  return new Problem(
    response.status,
    code,
    typeof detail === "string" ? detail : "Something went wrong. Try again in a moment.",
    members,
    retryAfter > 0 ? retryAfter * 1000 : null,
  );
}

/** True where trying the same again later may succeed. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof Unreachable ||
    (error instanceof Problem && (error.status >= 500 || error.status === 429))
  );
}

/** Whether the request failed in a way that requests do: refused, unreachable, or aborted by the page. */
export function isRequestFailure(error: unknown): boolean {
  const aborted = error instanceof DOMException && error.name === "AbortError";
  return error instanceof Problem || error instanceof Unreachable || aborted;
}

/** For a request whose failure changes nothing on the page: reports the error where it is no failure of a request. */
export function reportUnlessRequestFailure(error: unknown): void {
  if (!isRequestFailure(error)) report(error);
}

/** An error in words for a person. One that is no failure of a request is reported as well. */
export function explain(error: unknown): string {
  if (error instanceof Problem && error.code === "validation_failed") return invalid(error);
  if (error instanceof Problem || error instanceof Unreachable) return error.message;
  reportUnlessRequestFailure(error);
  return "Something unexpected happened. It is in the browser’s console.";
}

function invalid(problem: Problem): string {
  const [first] = (problem.members["errors"] as { field?: string; message?: string }[] | undefined) ?? [];
  if (!first?.field || !first.message) return problem.message;
  return `${first.field[0]?.toUpperCase()}${first.field.slice(1)}: ${first.message}.`;
}
