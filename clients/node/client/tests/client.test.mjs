// Against a server at MAILSACD_URL that takes mail at SMTP_PORT; MAILSACD_KEY is of an account.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { Mailsacd, MailsacdError, newInbox, WaitTimeoutError } from "@mailsacd/client";
import { createTransport } from "nodemailer";

const { MAILSACD_URL: url, MAILSACD_KEY: key, SMTP_PORT } = process.env;
const client = new Mailsacd({ url, key });
const transport = createTransport({ host: "127.0.0.1", port: Number(SMTP_PORT), ignoreTLS: true });

const send = (to, subject, text = "in words") => transport.sendMail({ from: "ann@a.example", to, subject, text });

test("a message that is waited for can be read in all of its forms, and deleted", async () => {
  const { address } = newInbox(client);
  const waiting = client.wait(address, { subjectIncludes: "CODE", hasAttachment: false, since: new Date(0) });
  await send(address, "482913 is your sign-in code");
  const [message] = await waiting;
  assert.ok(message);
  assert.equal(message.subject, "482913 is your sign-in code");
  assert.equal(message.from[0]?.address, "ann@a.example");
  assert.deepEqual((await client.codes(message)).codes, ["482913"]);
  assert.match(await client.text(message), /^in words/);
  assert.match(await client.html(message), /in words/);
  assert.match(new TextDecoder().decode(await client.raw(message)), /^Return-Path: <ann@a.example>/);
  assert.equal((await client.checks(message, ["headers"])).checks.length, 1);
  assert.equal((await client.read(message))._id, message._id);
  assert.deepEqual((await client.list(address, { limit: 1 })).map((each) => each._id), [message._id]);
  await client.delete(message);
  assert.deepEqual(await client.list(address), []);
});

test("a wait that is over says what came instead", async () => {
  const { address } = newInbox(client);
  await send(address, "Your invoice");
  const error = await client.wait(address, { timeout: 0, subjectIncludes: "code" }).catch((e) => e);
  assert.ok(error instanceof WaitTimeoutError);
  assert.equal(error.status, 408);
  assert.deepEqual(error.nearMisses[0]?.failed, ["subjectIncludes"]);
  assert.match(error.message, /No message that fits came within 0 s\n.*\n {2}"Your invoice", .*subjectIncludes/);
});

test("who waits in an inbox twice gets one message after the other", async () => {
  const inbox = newInbox(client, "node.example", "Who signs up, waits!");
  assert.match(inbox.address, /^who-signs-up-waits-[0-9a-f]{16}@node\.example$/);
  await send(inbox.address, "first");
  await send(inbox.address, "second", "Your sign-in code is 118234.");
  assert.equal((await inbox.waitForMail()).subject, "first");
  assert.equal(await inbox.waitForCode(), "118234");
  const third = inbox.waitForLink({ timeout: 10 });
  await send(inbox.address, "third", "Verify my email: https://example.com/verify?token=9a3f0c5b7d1e2a4c");
  assert.equal(await third, "https://example.com/verify?token=9a3f0c5b7d1e2a4c");
  await assert.rejects(inbox.waitForMail({ timeout: 0 }), WaitTimeoutError);
  await send(inbox.address, "fourth", "nothing");
  await assert.rejects(inbox.waitForCode(), /There is no code in "fourth"/);
  assert.equal((await inbox.messages()).length, 4);
});

test("of an inbox that keeps six messages the seventh is given as well", async () => {
  const inbox = newInbox(new Mailsacd({ url }));
  for (const number of [1, 2, 3, 4, 5, 6]) {
    await send(inbox.address, `number ${number}`);
    assert.equal((await inbox.waitForMail()).subject, `number ${number}`);
  }
  const seventh = inbox.waitForMail({ timeout: 10 });
  await send(inbox.address, "number 7");
  assert.equal((await seventh).subject, "number 7");
});

test("what was received in the same millisecond, and stored later, is given", async () => {
  const received = "2026-11-30T00:40:12.004Z";
  const stored = [{ _id: "a", received }];
  const server = createServer((request, response) => {
    if (/since=2000/.test(request.url ?? "")) {
      return response.end(JSON.stringify(stored));
    }
    stored.unshift({ _id: "b", received });
    return response.writeHead(408).end(JSON.stringify({ nearMisses: [], hints: [] }));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const inbox = newInbox(new Mailsacd({ url: `http://127.0.0.1:${port}/` }));
  assert.equal((await inbox.waitForMail())._id, "a");
  assert.equal((await inbox.waitForMail({ timeout: 5 }))._id, "b");
  server.close();
});

test("any call of the specification may be made, and mail be sent from an address of the account", async () => {
  const email = newInbox(client, "node.example", "sender").address;
  const made = await client.http.json("post", "/api/addresses/{email}", { path: { email }, body: {} });
  assert.equal(made?._id, email);
  const sent = await client.send({ from: email, to: "bob@elsewhere.example", subject: "hi", text: "in words" });
  assert.deepEqual(sent.to, ["bob@elsewhere.example"]);
  const strange = new Mailsacd({ url });
  const error = await strange.list(email).catch((e) => e);
  assert.ok(error instanceof MailsacdError);
  assert.equal(error.status, 401);
  await client.http.json("delete", "/api/addresses/{email}", { path: { email } });
});

test("what is wrong with a parameter is told, and a wait can be ended early", async () => {
  const error = await client.wait("a@b.example", { bodyMatches: "(" }).catch((e) => e);
  assert.equal(error.status, 400);
  assert.equal(error.faults[0].field, "bodyMatches");
  const ending = new AbortController();
  const waiting = client.wait("a@b.example", { signal: ending.signal });
  ending.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});

test("an answer of somebody else's on the way is an error with its status", async () => {
  const proxy = createServer((_, response) => response.writeHead(503, { "Retry-After": "7" }).end("<h1>Away"));
  await new Promise((listening) => proxy.listen(0, "127.0.0.1", () => listening(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (proxy.address());
  const error = await new Mailsacd({ url: `http://127.0.0.1:${port}/` }).list("a@b.example").catch((e) => e);
  proxy.close();
  assert.deepEqual([error.status, error.retryAfterSeconds, error.message], [503, 7, "The server answered 503"]);
});

test("what the specification does not have is refused by the compiler", () => {
  const never = () => {
    // @ts-expect-error  no such call
    client.http.json("get", "/api/addressses");
    // @ts-expect-error  no such method there
    client.http.json("post", "/api/addresses/{email}/wait", { path: { email: "a@b.example" } });
    // @ts-expect-error  the path has another value
    client.http.json("get", "/api/addresses/{email}/wait", { path: { mail: "a@b.example" } });
    // @ts-expect-error  a number is wanted
    client.list("a@b.example", { limit: "1" });
  };
  assert.ok(never);
});
