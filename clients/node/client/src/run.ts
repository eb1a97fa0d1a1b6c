/** Addresses and a key of their own, for as long as tests run: docs/runs.md. */

import type { Mailsacd } from "./client";
import { type Inbox, newInbox } from "./inbox";

/** What a run is called, for how many minutes it is (the server's 60 if left out), and below which domain its own is to be. */
export interface RunOptions {
  name?: string;
  minutes?: number;
  domain?: string;
}

export class Run {
  constructor(
    /** Asks with the run's own key, which is good for its mail alone. */
    readonly client: Mailsacd,
    readonly id: string,
    /** Whatever stands before it is an address of the run. */
    readonly domain: string,
    readonly expires: Date,
  ) {}

  /** An inbox of the run that nobody else has, with what `name` says of it in its address. */
  newInbox(name?: string): Inbox {
    return newInbox(this.client, this.domain, name);
  }

  /** Ends it now: its mail is deleted. */
  async end(): Promise<void> {
    await this.client.http.json("delete", "/api/runs/{runId}", { path: { runId: this.id } });
  }
}

/** Begins a run of the account whose key `client` has. Rejects with MailsacdError. */
export async function beginRun(client: Mailsacd, options: RunOptions = {}): Promise<Run> {
  const { name, minutes, domain } = options;
  const begun = await client.http.json("post", "/api/runs", { body: { name, minutes, domain } });
  return new Run(client.withKey(begun.key), begun._id, begun.domain, new Date(begun.expires));
}
