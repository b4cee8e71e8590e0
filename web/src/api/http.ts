/** Requests to the gateway: JSON in, JSON out, errors as exceptions. */

import { report } from "../lib/report.ts";

const TIMEOUT_MS = 20_000;
const UPLOAD_TIMEOUT_MS = 600_000;

/** An error response, as problem details (RFC 9457). `members` are the problem's members, including extensions. */
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

/** The server could not be reached, or did not answer in time. The request may or may not have been carried out. */
export class Unreachable extends Error {
  /** `offline`: the device had no network, so that the request was not sent. */
  constructor(readonly offline = false) {
    super("Inkstream cannot be reached right now.");
  }
}

export interface RequestOptions {
  body?: unknown;
  /** A multipart form instead of a body; its timeout is ten minutes. */
  form?: FormData;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Lets the request outlive the page; such a request's body is limited to 64 KiB by browsers. */
  keepalive?: boolean;
}

let signedOut: () => void = () => {};

/** `handler` is called whenever the server no longer knows the session. */
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

/** The exception for an error response. Calls the sign-out handler if the session has ended. */
export async function problemOf(response: Response): Promise<Problem> {
  let members: Record<string, unknown> = {};
  try {
    members = (await response.json()) as Record<string, unknown>;
  } catch {
    // the response came from a proxy, not from the gateway
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

/** Whether the error is transient, so that a retry may succeed. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof Unreachable ||
    (error instanceof Problem && (error.status >= 500 || error.status === 429))
  );
}

/** Whether the error is an expected failure of a request: refused, unreachable, or aborted by the page. */
export function isRequestFailure(error: unknown): boolean {
  const aborted = error instanceof DOMException && error.name === "AbortError";
  return error instanceof Problem || error instanceof Unreachable || aborted;
}

/** For requests whose failure changes nothing on the page: reports the error unless it is an expected failure. */
export function reportUnlessRequestFailure(error: unknown): void {
  if (!isRequestFailure(error)) report(error);
}

/** The error's message for the user. Unexpected errors are reported as well. */
export function explain(error: unknown): string {
  if (error instanceof Problem && error.code === "validation_failed") return invalid(error);
  if (error instanceof Problem || error instanceof Unreachable) return error.message;
  reportUnlessRequestFailure(error);
  return "Something unexpected happened. Details are in the browser’s console.";
}

function invalid(problem: Problem): string {
  const [first] = (problem.members["errors"] as { field?: string; message?: string }[] | undefined) ?? [];
  if (!first?.field || !first.message) return problem.message;
  return `${first.field[0]?.toUpperCase()}${first.field.slice(1)}: ${first.message}.`;
}
