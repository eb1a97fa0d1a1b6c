/** An address that nobody else uses, and its mail in the order in which it came. */

import type { Conditions, Mailsacd, Message, Codes } from "./client";
import { WaitTimeoutError } from "./errors";

const MAX_NAME_CHARS = 26; // with what follows 43, as a run's second form of an address has
const ALL = "2000-01-01"; // the address is new: everything in its inbox is meant
const SETTLING_S = 1; // so long may it take to store what was received before the newest that is stored

/** What is waited for, and how many whole seconds: 30 where nothing is said. */
export interface Wanted extends Conditions {
  timeout?: number;
}

/** A link in a message that confirms something. */
export type Link = Codes["links"][number];

export class Inbox {
  readonly #client: Mailsacd;
  readonly #given = new Set<string>(); // ids

  constructor(
    client: Mailsacd,
    readonly address: string,
  ) {
    this.#client = client;
  }

  /**
   * The oldest message that fits and that this inbox has not given yet: who waits twice gets the
   * next one. Codes and links are those of messages that are given so. Rejects with WaitTimeoutError.
   */
  async waitForMail(wanted: Wanted = {}): Promise<Message> {
    const { timeout = 30, ...conditions } = wanted;
    const deadline = Date.now() + timeout * 1000;
    for (let isSettling = true; ; isSettling = false) {
      const left = Math.max(0, Math.ceil((deadline - Date.now()) / 1000));
      const fitting = await this.#client.wait(this.address, { ...conditions, since: ALL, timeout: left });
      const next = fitting.filter((message) => !this.#given.has(message._id)).at(-1);
      if (next) {
        this.#given.add(next._id);
        return next;
      }
      await this.#newer(fitting, conditions, left, isSettling);
    }
  }

  /** Waits for what is newer than all that was given: for a moment first, in which something may be stored that is not. */
  async #newer(given: readonly Message[], conditions: Conditions, left: number, isSettling: boolean): Promise<void> {
    const since = new Date(Math.max(...given.map((message) => Date.parse(message.received))) + 1);
    const timeout = isSettling ? Math.min(left, SETTLING_S) : left;
    try {
      await this.#client.wait(this.address, { ...conditions, since, timeout });
    } catch (error) {
      if (!(error instanceof WaitTimeoutError && isSettling && left > 0)) {
        throw error;
      }
    }
  }

  /** The likeliest one-time code of the next message that fits. Rejects where it has none. */
  async waitForCode(wanted: Wanted = {}): Promise<string> {
    const message = await this.waitForMail(wanted);
    const [likeliest] = (await this.#client.codes(message)).codes;
    if (!likeliest) {
      throw new Error(`There is no code in "${message.subject}", which came to ${this.address}`);
    }
    return likeliest;
  }

  /** The URL of the likeliest link that confirms something. Rejects where there is none. */
  async waitForLink(wanted: Wanted = {}): Promise<string> {
    const message = await this.waitForMail(wanted);
    const [likeliest] = (await this.#client.codes(message)).links;
    if (!likeliest) {
      throw new Error(`There is no link that confirms something in "${message.subject}", which came to ${this.address}`);
    }
    return likeliest.url;
  }

  /** Everything that has come, newest first. */
  messages(): Promise<Message[]> {
    return this.#client.list(this.address);
  }
}

/** An inbox at `domain` that nobody else has, with what `name` says of it in its address. */
export function newInbox(client: Mailsacd, domain = "example.com", name = "test"): Inbox {
  const words = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const readable = words.slice(0, MAX_NAME_CHARS).replace(/-$/, "") || "test";
  const random = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0"));
  return new Inbox(client, `${readable}-${random.join("")}@${domain}`);
}
