/** The half that runs in the browser: to be imported in cypress/support/e2e. */

import type { Message, Wanted } from "@mailsacd/client";

const USUAL_TIMEOUT_S = 30;
const MARGIN_MS = 5_000; // for the answer to come once the wait is over

/** A message as lists have it, and its text. */
export type Mail = Message & { text: string };

/** What is waited for; without an `inbox` in the one that the test has made last. */
export interface WaitOptions extends Wanted {
  inbox?: string;
}

declare global {
  namespace Cypress {
    interface Chainable {
      /** Yields an address that no other test has; `name` is told in it, else the test's title. */
      mailsacInbox(name?: string): Chainable<string>;
      /** Yields the oldest mail that fits and was not given yet; fails with what came instead. */
      waitForMail(options?: WaitOptions): Chainable<Mail>;
      /** Yields the likeliest one-time code of the next mail that fits. */
      waitForCode(options?: WaitOptions): Chainable<string>;
      /** Yields the link by which the next mail that fits has something confirmed. */
      waitForLink(options?: WaitOptions): Chainable<string>;
    }
  }
}

let newest: string | undefined;

beforeEach(() => {
  newest = undefined;
});

Cypress.Commands.add("mailsacInbox", (name = Cypress.currentTest.title) =>
  cy.task<string>("mailsacd:inbox", name).then((address) => {
    newest = address;
  }),
);

Cypress.Commands.add("waitForMail", (options) => waited<Mail>("mailsacd:mail", options));
Cypress.Commands.add("waitForCode", (options) => waited<string>("mailsacd:code", options));
Cypress.Commands.add("waitForLink", (options) => waited<string>("mailsacd:link", options));

function waited<T>(task: string, options: WaitOptions = {}): Cypress.Chainable<T> {
  const { inbox: address = newest, timeout = USUAL_TIMEOUT_S, ...wanted } = options;
  if (!address) throw new Error("There is no inbox to wait in: make one by cy.mailsacInbox() first");
  return cy.task<T>(task, { ...wanted, address, timeout }, { timeout: timeout * 1_000 + MARGIN_MS });
}
