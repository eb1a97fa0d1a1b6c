/** The half that runs in Node: tasks, so that neither a key nor a long request is the browser's. */

import {
  beginRun,
  type Inbox,
  Mailsacd,
  type Message,
  newInbox,
  type Options,
  type Run,
  type Wanted,
} from "@mailsacd/client";

const MAX_INBOXES = 10_000; // the oldest are forgotten
const RUN_MINUTES = 60;
const SPARE_MS = 15 * 60_000; // a run that ends sooner is too short for a test that begins

/** What the commands ask for. */
export interface WaitTask extends Wanted {
  address: string;
}

/** Where the server is, and who asks: with a key the inboxes are those of a run. */
export interface PluginOptions extends Options {
  /**
   * Of the addresses, or below which those of runs are; where it is left out, the server's usual one for runs,
   * and example.com for public inboxes.
   */
  domain?: string;
}

/** To be called in `setupNodeEvents` of cypress.config with its `on`. */
export function mailsacd(on: Cypress.PluginEvents, options: PluginOptions = {}): void {
  on("task", tasks(options));
}

/** The tasks by their names. Each answers with JSON, and rejects with the text to be shown. */
export function tasks(options: PluginOptions = {}) {
  const { MAILSACD_URL, MAILSACD_KEY } = process.env;
  const { domain, url = MAILSACD_URL, key = MAILSACD_KEY, ...rest } = options;
  const client = new Mailsacd({ ...rest, url, key });
  const inboxes = new Map<string, Inbox>();
  let run: Run | undefined;

  async function made(name: string): Promise<Inbox> {
    if (!key) return newInbox(client, domain, name);
    if (!run || run.expires.getTime() - Date.now() < SPARE_MS) {
      run = await beginRun(client, { name: "Cypress", minutes: RUN_MINUTES, domain });
    }
    return run.newInbox(name);
  }

  function known(address: string): Inbox {
    const inbox = inboxes.get(address);
    if (!inbox) throw new Error(`${address} was not made by cy.mailsacInbox()`);
    return inbox;
  }

  return {
    "mailsacd:inbox": async (name: string): Promise<string> => {
      const inbox = await made(name);
      inboxes.set(inbox.address, inbox);
      for (const oldest of inboxes.keys()) {
        if (inboxes.size <= MAX_INBOXES) break;
        inboxes.delete(oldest);
      }
      return inbox.address;
    },
    "mailsacd:mail": async ({ address, ...wanted }: WaitTask): Promise<Message & { text: string }> => {
      const message = await known(address).waitForMail(wanted);
      return { ...message, text: await client.text(message) };
    },
    "mailsacd:code": ({ address, ...wanted }: WaitTask): Promise<string> =>
      known(address).waitForCode(wanted),
    "mailsacd:link": ({ address, ...wanted }: WaitTask): Promise<string> =>
      known(address).waitForLink(wanted),
  };
}
