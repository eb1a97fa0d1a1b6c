/** What the server refuses, as exceptions whose text says why. */

import type { components } from "./api";

type Problem = Partial<components["schemas"]["Error"]>;
type WaitIsOver = components["schemas"]["WaitIsOver"];

/** A message that came near: its subject, and the conditions that it failed. */
export type NearMiss = WaitIsOver["nearMisses"][number];

/** An answer that is not 2xx. */
export class MailsacdError extends Error {
  override name = "MailsacdError";

  constructor(
    message: string,
    /** The HTTP status. */
    readonly status: number,
    /** What is wrong with which field or parameter. */
    readonly faults: NonNullable<Problem["faults"]> = [],
    /** In how many seconds to try again, where the server says so. */
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
  }
}

/** The time is over, and no mail that fits has come (408). The text says what came instead. */
export class WaitTimeoutError extends MailsacdError {
  override name = "WaitTimeoutError";
  readonly nearMisses: readonly NearMiss[];
  readonly hints: readonly string[];

  constructor(over: WaitIsOver) {
    super(explanation(over), 408);
    this.nearMisses = over.nearMisses;
    this.hints = over.hints;
  }
}

/** The error for an answer with this status and body. */
export function errorOf(status: number, body: string, retryAfter: string | null): MailsacdError {
  const told = parsed(body);
  if (status === 408 && "nearMisses" in told) {
    return new WaitTimeoutError(told as WaitIsOver);
  }
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new MailsacdError(
    told.message ?? `The server answered ${status}`,
    status,
    told.faults,
    Number.isNaN(seconds) ? undefined : seconds,
  );
}

function parsed(body: string): Problem {
  try {
    return (JSON.parse(body) ?? {}) as Problem;
  } catch {
    return {}; // a proxy's own page
  }
}

function explanation(over: WaitIsOver): string {
  const near = over.nearMisses.map(
    (miss) => `  "${miss.subject}", received ${miss.received}, failed: ${miss.failed.join(", ") || "nothing"}`,
  );
  return [
    over.message,
    ...(near.length ? ["The newest messages of the inbox:", ...near] : []),
    ...over.hints.map((hint) => `Hint: ${hint}`),
  ].join("\n");
}
