/** The calls that tests make, one method each. */

import { Http, type Options, type Schemas } from "./http";

export type Message = Schemas["Message"];
export type Codes = Schemas["MessageCodes"];
export type Checks = Schemas["MessageChecks"];
export type OutgoingMail = Schemas["MessageFields"];

/** What says which message is meant: any message that was listed or waited for is one. */
export type Which = Pick<Message, "_id" | "inbox">;

/** Which part of an inbox to list. */
export interface Listed {
  limit?: number;
  skip?: number;
  since?: Date | string;
  until?: Date | string;
}

/** What a message has to be like; all that is given has to hold, without regard to case. */
export interface Conditions {
  subjectIncludes?: string;
  /** A part of an address or a name in From. */
  from?: string;
  /** A part of one in To or Cc, of the inbox, or of the address as it was mailed. */
  to?: string;
  /** A regular expression of RE2, found in text or HTML. */
  bodyMatches?: string;
  hasAttachment?: boolean;
}

/** How long to wait, since when mail counts, and how much of it has to be there. */
export interface Waiting extends Conditions {
  /** Whole seconds, 30 where nothing is said, 300 at most. */
  timeout?: number;
  /** Received then or later; 5 seconds before the call where nothing is said. */
  since?: Date | string;
  count?: number;
  signal?: AbortSignal;
}

/** A client of one server. Every method rejects with MailsacdError for an answer that is not 2xx. */
export class Mailsacd {
  /** Every other call of the specification, as `http.json("get", "/api/me")`. */
  readonly http: Http;
  readonly #options: Options;

  constructor(options: Options = {}) {
    this.#options = options;
    this.http = new Http(options);
  }

  /** A client of the same server with another key. */
  withKey(key: string): Mailsacd {
    return new Mailsacd({ ...this.#options, key });
  }

  /** The messages of an inbox, newest first. */
  list(email: string, part: Listed = {}): Promise<Message[]> {
    const query = { ...part, since: time(part.since), until: time(part.until) };
    return this.http.json("get", "/api/addresses/{email}/messages", { path: { email }, query });
  }

  /** One message, as lists show it. */
  read(which: Which): Promise<Message> {
    return this.http.json("get", "/api/addresses/{email}/messages/{messageId}", { path: place(which) });
  }

  /** Its text, made from its HTML where it has none. */
  async text(which: Which): Promise<string> {
    return decoded(await this.http.bytes("/api/text/{email}/{messageId}", { path: place(which) }));
  }

  /** Its HTML, sanitised. */
  async html(which: Which): Promise<string> {
    return decoded(await this.http.bytes("/api/body/{email}/{messageId}", { path: place(which) }));
  }

  /** The message as it is stored, trace headers first (RFC 5322). */
  raw(which: Which): Promise<Uint8Array> {
    return this.http.bytes("/api/raw/{email}/{messageId}", { path: place(which) });
  }

  /** What fits, newest first, as soon as there is enough. Rejects with WaitTimeoutError. */
  wait(email: string, waiting: Waiting = {}): Promise<Message[]> {
    const { signal, hasAttachment, since, ...query } = waiting;
    const attached = hasAttachment === undefined ? undefined : (`${hasAttachment}` as const);
    return this.http.json("get", "/api/addresses/{email}/wait", {
      path: { email },
      query: { ...query, hasAttachment: attached, since: time(since) },
      signal,
    });
  }

  /** One-time codes, and links that confirm something, the likeliest first. */
  codes(which: Which): Promise<Codes> {
    const path = place(which);
    return this.http.json("get", "/api/addresses/{email}/messages/{messageId}/codes", { path });
  }

  /** What is wrong with it, with a score and reasons; all checks, or those that are named. */
  checks(which: Which, names: readonly string[] = []): Promise<Checks> {
    const query = names.length ? { checks: names.join(",") } : {};
    const path = place(which);
    return this.http.json("get", "/api/addresses/{email}/messages/{messageId}/checks", { path, query });
  }

  /** Queues mail from an address of the account. */
  send(mail: OutgoingMail): Promise<{ _id: string; to: string[] }> {
    return this.http.json("post", "/api/outgoing-messages", { body: mail });
  }

  async delete(which: Which): Promise<void> {
    const path = place(which);
    await this.http.json("delete", "/api/addresses/{email}/messages/{messageId}", { path });
  }
}

function place(which: Which): { email: string; messageId: string } {
  return { email: which.inbox, messageId: which._id };
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function time(given: Date | string | undefined): string | undefined {
  return given instanceof Date ? given.toISOString() : given;
}
