/** Fixtures: `inbox` is an address for this test alone; `newInbox` makes more of them. */

import { test as base, type TestInfo } from "@playwright/test";
import { beginRun, type Inbox, Mailsacd, newInbox, type Run } from "@mailsacd/client";

export { expect } from "@playwright/test";

const MAX_ATTACHED = 5; // messages, to the report of a test that has failed

/** Where the server is, to be set under `use` of playwright.config. */
export interface MailsacdOptions {
  /** What MAILSACD_URL says, else `http://127.0.0.1:8025`. */
  mailsacdUrl: string;
  /** An API key: each worker then has a run of its own. Without one inboxes are public. MAILSACD_KEY. */
  mailsacdKey: string;
  /**
   * The domain of the addresses, or below which those of runs are; where it is empty, the server's usual one
   * for runs, and example.com for public inboxes.
   */
  mailDomain: string;
  /** How many minutes a worker's run lasts: 240, and at most what the server's `runs.max_hours` says. */
  mailsacdMinutes: number;
}

export interface MailsacdWorkerFixtures {
  /** The worker's run, whose mail is deleted when the worker ends; undefined without a key. */
  mailsacdRun: Run | undefined;
}

export interface MailsacdFixtures {
  /** The client, for whatever else there is to ask. */
  mailsacd: Mailsacd;
  /** An inbox that no other test and no other worker has. */
  inbox: Inbox;
  /** Makes another one, with what `name` says in its address. */
  newInbox: (name?: string) => Inbox;
}

export const test = base.extend<MailsacdFixtures, MailsacdOptions & MailsacdWorkerFixtures>({
  mailsacdUrl: [process.env["MAILSACD_URL"] ?? "http://127.0.0.1:8025", { option: true, scope: "worker" }],
  mailsacdKey: [process.env["MAILSACD_KEY"] ?? "", { option: true, scope: "worker" }],
  mailDomain: ["", { option: true, scope: "worker" }],
  mailsacdMinutes: [240, { option: true, scope: "worker" }],

  mailsacdRun: [
    async ({ mailsacdUrl: url, mailsacdKey: key, mailDomain, mailsacdMinutes: minutes }, use, { workerIndex }) => {
      const asked = { name: `Playwright's worker ${workerIndex}`, minutes, domain: mailDomain || undefined };
      const run = key ? await beginRun(new Mailsacd({ url, key }), asked) : undefined;
      await use(run);
      await run?.end();
    },
    { scope: "worker" },
  ],

  mailsacd: async ({ mailsacdUrl, mailsacdKey }, use) => {
    await use(new Mailsacd({ url: mailsacdUrl, key: mailsacdKey }));
  },

  newInbox: async ({ mailsacd, mailsacdRun, mailDomain }, use, testInfo) => {
    const made: Inbox[] = [];
    await use((name = testInfo.title) => {
      const inbox = mailsacdRun?.newInbox(name) ?? newInbox(mailsacd, mailDomain || undefined, name);
      made.push(inbox);
      return inbox;
    });
    if (testInfo.status !== testInfo.expectedStatus) {
      for (const inbox of made) await attachMail(testInfo, mailsacd, inbox);
    }
  },

  inbox: async ({ newInbox }, use) => {
    await use(newInbox());
  },
});

/** Puts the newest mail of `inbox` into the report, as files that a mail program opens. */
async function attachMail(testInfo: TestInfo, mailsacd: Mailsacd, inbox: Inbox): Promise<void> {
  const newest = await inbox.messages().catch(() => []); // the report is of the test, not of this
  for (const message of newest.slice(0, MAX_ATTACHED)) {
    const body = await mailsacd.raw(message).catch(() => undefined);
    if (body) {
      const name = `${inbox.address}, ${message.subject}.eml`;
      await testInfo.attach(name, { body: Buffer.from(body), contentType: "message/rfc822" });
    }
  }
}
