// Every method of `mailsac`, a client of 2018, with another host; it fails when one was left out.
const assert = require("node:assert/strict");
const { createHash } = require("node:crypto");
const nodemailer = require("nodemailer");
const { Client } = require("mailsac");

const { API, KEY, SMTP_PORT } = process.env;
const INBOX = "anybody@public.example";
const MINE = "mine@private.example";
const FILE = Buffer.from("what is attached\n");
const MD5 = createHash("md5").update(FILE).digest("hex");
// At Mailsac as here: it asks for /api/api/…
const REFUSED = { getMessage: /404/ };

const client = new Client(KEY);
client.axios.defaults.baseURL = `${API}/`;

const called = new Set();
const methods = Object.getOwnPropertyNames(Client.prototype).filter(
  (name) => !["constructor", "request"].includes(name),
);
const api = Object.fromEntries(
  methods.map((name) => [name, (...args) => called.add(name) && client[name](...args)]),
);

async function send(to) {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: SMTP_PORT });
  const attachments = [{ filename: "a.txt", content: FILE }];
  await transport.sendMail({ from: "ann@a.example", to, subject: "hi", text: "in words", attachments });
}

async function ofAddresses() {
  assert.equal((await api.reserveAddress(MINE)).owner, "admin");
  assert.deepEqual((await api.getPrivateAddresses()).map((one) => one._id), [MINE]);
  assert.equal((await api.getAddress(MINE))._id, MINE);
  assert.equal((await api.checkAddressOwnership(MINE)).owned, true);
  await api.forwardAddress(MINE, {}); // of its options it sends nothing
  await send(MINE);
  assert.equal((await api.getPrivateMessages()).messages.length, 1);
  assert.equal((await api.searchPrivateMessages("hi")).messages.length, 1);
  const mail = { from: MINE, to: "bob@elsewhere.example", subject: "hi", text: "in words" };
  assert.deepEqual((await api.sendMessage(mail)).to, [mail.to]);
  await api.releaseAddress(MINE);
}

async function ofMessages() {
  await send(INBOX);
  const [{ _id: id }] = await api.getMessages(INBOX);
  assert.equal((await api.getMessageHeaders(INBOX, id)).subject, "hi");
  assert.match(await api.getMessageText(INBOX, id), /^in words/);
  assert.match(await api.getSanitizedMessage(INBOX, id), /in words/);
  assert.match(await api.getHTMLMessage(INBOX, id), /in words/);
  assert.match(await api.getRawMessage(INBOX, id, true), /^Return-Path/);
  assert.deepEqual((await api.setMessageLabels(INBOX, id, ["x"])).labels, ["x"]);
  assert.equal((await api.changeMessageFolder(INBOX, id, "trash")).folder, "trash");
  assert.equal((await api.setMessageRead(INBOX, id, true)).read, true);
  await ofAttachments(id);
  assert.equal((await api.saveMessage(INBOX, id)).savedBy, "admin");
  assert.equal((await api.getSavedMessages()).length, 1);
  await api.deleteMessage(INBOX, id);
  assert.deepEqual(await api.getMessages(INBOX), []);
}

async function ofAttachments(id) {
  assert.equal((await api.getAttachments(INBOX, id))[0].checksum, MD5);
  assert.equal(await api.downloadAttachment(INBOX, id, MD5), FILE.toString());
  const time = { startDate: new Date(Date.now() - 3600e3), endDate: new Date() };
  assert.deepEqual(await api.getCommonAttachments(time), [{ _id: MD5, n: 1 }]);
  assert.equal(await api.countMD5Attachments(MD5), 1);
  assert.equal((await api.getMessagesWitchAttachment(MD5)).length, 1);
  assert.equal(await api.downloadCommonAttachment(MD5), FILE.toString());
  assert.equal((await api.getTopAddresses(time))[0]._id, INBOX);
}

async function ofTheRest() {
  assert.equal((await api.getCurrentUser())._id, "admin");
  assert.equal((await api.getCurrentUserStats()).starredMessages, 0);
  assert.deepEqual(await api.getBlacklistedDomainsAndIps(), ["spam.example"]);
  assert.equal(await api.checkBlacklist("spam.example"), true);
  for (const [name, refusal] of Object.entries(REFUSED)) {
    await assert.rejects(async () => api[name](INBOX, "01m8fvk2qt000k5d8gr1w-0"), (error) =>
      refusal.test(JSON.stringify([error, String(error), error?.stack])),
    );
  }
  await api.signOut();
}

async function main() {
  for (const part of [ofAddresses, ofMessages, ofTheRest]) {
    await part();
  }
  assert.deepEqual(methods.filter((name) => !called.has(name)), []);
  assert.ok(methods.length >= 30, `${methods.length} methods`);
  console.log(`${methods.length} methods`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
