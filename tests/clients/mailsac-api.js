// Every method of Mailsac's own client, @mailsac/api; it fails when one was left out.
const assert = require("node:assert/strict");
const { createHash } = require("node:crypto");
const nodemailer = require("nodemailer");
const { Mailsac } = require("@mailsac/api");

const { API, KEY, SMTP_PORT, DOMAIN } = process.env;
const PUBLIC = "anybody@public.example";
const PRIVATE = "mine@private.example";
const FILE = Buffer.from("what is attached\n");
const MD5 = createHash("md5").update(FILE).digest("hex");

const called = new Set();

// The client's group of methods, each of which tells that it was called
function told(group, methods) {
  const entries = Object.entries(methods).map(([name, method]) => [
    name,
    async (...args) => {
      called.add(`${group}.${name}`);
      return (await method(...args)).data;
    },
  ]);
  return Object.fromEntries(entries);
}

const client = new Mailsac({ baseURL: API, headers: { "Mailsac-Key": KEY } });
const groups = Object.entries(client).filter(([, value]) =>
  Object.values(value ?? {}).some((method) => typeof method === "function" && method.length > 0),
);
// webSockets and webhooks have a method each that stands there for its documentation alone
const named = groups.filter(([name]) => !["instance", "webSockets", "webhooks"].includes(name));
const { addresses, attachments, domains, emailValidation, messageStats, messages, account } =
  Object.fromEntries(named.map(([name, methods]) => [name, told(name, methods)]));

async function send(to, subject) {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: SMTP_PORT });
  await transport.sendMail({
    from: "Ann <ann@sender.example>",
    to,
    subject,
    text: "in words",
    html: '<p>in <a href="https://example.org/x">HTML</a></p>',
    attachments: [{ filename: "a.txt", content: FILE }],
  });
}

async function ofAddresses() {
  assert.equal((await addresses.checkAvailability(PRIVATE)).available, true);
  assert.equal((await addresses.createAddress(PRIVATE)).owner, "admin");
  const second = "second@private.example";
  await addresses.createAddresses({ addresses: [second] });
  assert.deepEqual((await addresses.listAddresses()).map((one) => one._id), [PRIVATE, second]);
  const updated = await addresses.updateAddress(PRIVATE, { info: "a note", enablews: true });
  assert.equal(updated.info, "a note");
  const found = await addresses.getAddress(PRIVATE);
  assert.equal(found.enablews, true);
  await addresses.updateAddress(PRIVATE, found); // as it was read
  await addresses.deleteAddress(second, { deleteAddressMessages: true });
  assert.equal((await addresses.checkAvailability(second)).owned, false);
}

async function ofOneMessage() {
  await send(PUBLIC, "to anybody");
  const [{ _id: id, links }] = await messages.listMessages(PUBLIC, { limit: 1 });
  assert.deepEqual(links, ["https://example.org/x"]);
  assert.deepEqual(await messages.countMessages(PUBLIC), { count: 1, inbox: PUBLIC });
  assert.equal((await messages.getMessageMetadata(PUBLIC, id)).subject, "to anybody");
  assert.match(await messages.getBodyPlainText(PUBLIC, id), /^in words/);
  assert.match(await messages.getBodySanitized(PUBLIC, id), /HTML/);
  assert.match(await messages.getBodyDirty(PUBLIC, id), /<a href="https:\/\/example.org\/x">/);
  assert.match(await messages.getFullRawMessage(PUBLIC, id), /^Return-Path: <ann@sender.example>/);
  assert.deepEqual((await messages.getHeaders(PUBLIC, id)).subject, ["to anybody"]);
  assert.deepEqual(await messages.addMessageLabel(PUBLIC, id, "x"), { _id: id, labels: ["x"] });
  assert.deepEqual((await messages.deleteMessageLabel(PUBLIC, id, "x")).labels, []);
  assert.equal((await messages.setMessageFolder(PUBLIC, id, "spam")).folder, "spam");
  assert.equal((await messages.setMessageReadStatus(PUBLIC, id, true)).read, true);
  await ofAttachments(id);
  assert.equal((await messages.toggleMessageStar(PUBLIC, id)).savedBy, "admin");
  assert.deepEqual((await messages.listStarredMessages()).map((one) => one._id), [id]);
  await messages.deleteMessage(PUBLIC, id);
  assert.equal((await messages.countMessages(PUBLIC)).count, 0);
}

async function ofAttachments(id) {
  const [attachment] = await attachments.listMessageAttachments(PUBLIC, id);
  assert.deepEqual([attachment.checksum, attachment.fileName], [MD5, "a.txt"]);
  assert.equal(await attachments.downloadAttachment(PUBLIC, id, MD5), FILE.toString());
  const [{ n }] = await attachments.listPublicAttachments({ limit: 1 });
  assert.equal(n, 1);
  assert.deepEqual(await attachments.countPublicAttachments(MD5), { n: 1 });
  assert.equal((await attachments.listMessagesForAttachment(MD5))[0]._id, id);
  assert.equal(await attachments.downloadPublicAttachment(MD5), FILE.toString());
}

async function ofAllMessages() {
  await send(PRIVATE, "to me");
  const inbox = await messages.listInboxMessages({ limit: 10 });
  assert.deepEqual([inbox.messages.length, inbox.unread], [1, 1]);
  assert.equal((await messages.searchInboxMessages({ query: "to me" })).messages.length, 1);
  const filter = { andSubjectIncludes: "to me", andFrom: "ann", andTo: "mine" };
  assert.equal((await messages.filterInboxMessages(filter)).messages.length, 1);
  await messages.deleteAllMessages(PRIVATE, {});
  assert.deepEqual(await messages.listMessages(PRIVATE), []);
}

async function ofDomains() {
  await send(`anybody@${DOMAIN}`, "to my domain");
  assert.equal((await domains.listDomains())[0]._id, DOMAIN);
  assert.equal((await domains.getDomain(DOMAIN)).totalMessages, 1);
  assert.equal((await messages.listDomainMessages(DOMAIN)).length, 1);
  await messages.deleteAllDomainMessages(DOMAIN);
  assert.deepEqual(await messages.listDomainMessages(DOMAIN), []);
}

async function ofTheRest() {
  assert.equal((await account.user())._id, "admin");
  assert.deepEqual((await account.accountStats()).domains, [DOMAIN]);
  const valid = await emailValidation.validateAddress("bob@mailinator.com");
  assert.deepEqual([valid.isValidFormat, valid.isDisposable], [true, true]);
  const emails = ["bob@mailinator.com", "no address"];
  const both = await emailValidation.validateAddressesBulk({ emails });
  assert.deepEqual(both.map((one) => one.isValidFormat), [true, false]);
  const top = { limit: 5 };
  assert.equal((await messageStats.listTopPublicAddresses(top))[0]._id, PUBLIC);
  assert.equal((await messageStats.listTopPublicDomains(top))[0]._id, "public.example");
  assert.equal((await messageStats.listTopPublicSenders(top))[0]._id, "ann@sender.example");
  assert.deepEqual(await messageStats.denylist(), ["spam.example"]);
  assert.deepEqual(await messageStats.checkDenylist("spam.example"), { blacklisted: true });
}

async function main() {
  for (const part of [ofAddresses, ofOneMessage, ofAllMessages, ofDomains, ofTheRest]) {
    await part();
  }
  const all = named.flatMap(([group, methods]) => Object.keys(methods).map((m) => `${group}.${m}`));
  assert.deepEqual(all.filter((name) => !called.has(name)), []);
  assert.ok(all.length >= 40, `${all.length} methods`);
  console.log(`${all.length} methods`);
}

main().catch((error) => {
  console.error(error, error.response?.data);
  process.exit(1);
});
