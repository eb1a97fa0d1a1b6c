// The commands and the tasks, without Cypress itself, whose program npm does not bring: what stands
// for it here queues commands and hands JSON to the tasks, as Cypress does between browser and Node.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { beforeEach, test } from "node:test";
import { mailsacd } from "@mailsacd/cypress/plugin";
import { createTransport } from "nodemailer";

const { MAILSACD_URL: url, SMTP_PORT } = process.env;
const transport = createTransport({ host: "127.0.0.1", port: Number(SMTP_PORT), ignoreTLS: true });

const commands = {};
const hooks = [];
const json = (value) => JSON.parse(JSON.stringify(value));
let tasks = {};
let timeouts = [];

class Chain {
  constructor(promise) {
    this.promise = promise;
  }
  // Unlike a promise's: what gives nothing back leaves the subject as it was
  then(step) {
    return new Chain(this.promise.then(async (subject) => (await unchained(step(subject))) ?? subject));
  }
}
const unchained = (value) => (value instanceof Chain ? value.promise : value);

const cy = {
  task(name, argument, options) {
    timeouts.push(options?.timeout);
    return new Chain((async () => json(await tasks[name](json(argument))))());
  },
};
const call = async (name, ...args) => unchained(commands[name](...args));

Object.assign(globalThis, {
  cy,
  Cypress: { Commands: { add: (name, command) => (commands[name] = command) }, currentTest: { title: "Signs up" } },
  beforeEach: (hook) => hooks.push(hook),
});
createRequire(import.meta.url)("@mailsacd/cypress");

beforeEach(() => {
  hooks.forEach((hook) => hook());
  timeouts = [];
  plugIn({ url, key: "", domain: "cypress.example" });
});

function plugIn(options) {
  const on = (event, registered) => event === "task" && (tasks = registered);
  mailsacd(/** @type {any} */ (on), options);
}

const send = (to, subject, text) => transport.sendMail({ from: "a@a.example", to, subject, text });

test("an inbox is made, and its mail, codes and links are waited for", async () => {
  const address = await call("mailsacInbox");
  assert.match(address, /^signs-up-[0-9a-f]{16}@cypress\.example$/);
  await send(address, "first", "in words");
  await send(address, "second", "Your sign-in code is 118234.");
  await send(address, "third", "Verify my email: https://example.com/verify?token=9a3f0c5b7d1e2a4c");
  const mail = await call("waitForMail", { subjectIncludes: "FIRST", timeout: 10 });
  assert.equal(mail.subject, "first");
  assert.match(mail.text, /^in words/);
  assert.equal(await call("waitForCode"), "118234");
  assert.equal(await call("waitForLink"), "https://example.com/verify?token=9a3f0c5b7d1e2a4c");
  assert.deepEqual(timeouts.slice(1), [15_000, 35_000, 35_000]); // longer than the server waits
});

test("of two inboxes the newest is meant, or the one that is said", async () => {
  const ann = await call("mailsacInbox", "ann");
  const bob = await call("mailsacInbox", "bob");
  await send(ann, "for ann", "x");
  await send(bob, "for bob", "x");
  assert.equal((await call("waitForMail")).subject, "for bob");
  assert.equal((await call("waitForMail", { inbox: ann })).subject, "for ann");
});

test("what came instead is told, and who has made no inbox is told to", async () => {
  await assert.rejects(call("waitForMail"), /make one by cy.mailsacInbox\(\) first/);
  await assert.rejects(call("waitForMail", { inbox: "a@b.example" }), /a@b.example was not made by/);
  const address = await call("mailsacInbox");
  await send(address, "Your invoice", "x");
  await assert.rejects(call("waitForMail", { subjectIncludes: "code", timeout: 0 }), /"Your invoice".*subjectIncludes/);
});

test("with a key the inboxes are those of one run", async () => {
  plugIn({ url });
  const [ann, bob] = [await call("mailsacInbox", "ann"), await call("mailsacInbox", "bob")];
  const [, domain] = ann.split("@");
  assert.match(domain, /^run-\w+\.example\.com$/);
  assert.equal(bob.split("@")[1], domain);
  await send(ann, "482913 is your sign-in code", "x");
  assert.equal(await call("waitForCode", { inbox: ann }), "482913");
});
