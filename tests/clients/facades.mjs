// mailpit-api and mailhog, as programs use them that were written for these tools: nothing tells
// them that they talk to mailsacd.
import assert from "node:assert";
import mailhog from "mailhog";
import { MailpitClient } from "mailpit-api";
import nodemailer from "nodemailer";

const { MAILPIT_PORT, MAILHOG_PORT, SMTP_PORT, KEY } = process.env;
const mailpit = new MailpitClient(`http://localhost:${MAILPIT_PORT}`, {
  auth: { username: "admin", password: KEY },
});
const hog = mailhog({ host: "localhost", port: Number(MAILHOG_PORT) });
const mailer = nodemailer.createTransport({ host: "localhost", port: Number(SMTP_PORT) });

await mailer.sendMail({
  from: "Ann <ann@example.net>",
  to: "Bob <bob@public.example>",
  bcc: "hidden@public.example",
  subject: "Grüße",
  text: "Ihr Code ist 1234",
  html: "<p>Ihr Code ist <b>1234</b></p>",
  attachments: [{ filename: "a.pdf", content: "attached" }],
});

const found = await mailpit.searchMessages({ query: 'to:bob@public.example subject:"Grüße"' });
assert.equal(found.messages_count, 1);
const [summary] = found.messages;
assert.deepEqual(summary.Bcc.map((each) => each.Address), ["hidden@public.example"]);
const message = await mailpit.getMessageSummary(summary.ID);
assert.match(message.Text, /1234/);
const part = await mailpit.getMessageAttachment(summary.ID, message.Attachments[0].PartID);
assert.equal(await part.text(), "attached");
assert.equal((await mailpit.getMessageHeaders())["Subject"].length, 1);
assert.match(await mailpit.renderMessageHTML(), /<b>1234<\/b>/);
assert.equal((await mailpit.listMessages()).unread, 0);
await mailpit.setTags({ IDs: [summary.ID], Tags: ["seen"] });
assert.deepEqual(await mailpit.getTags(), ["seen"]);
assert.equal((await mailpit.getInfo()).Messages, 1);

const mail = await hog.latestTo("bob@public.example");
assert.deepEqual([mail.subject, mail.from], ["Grüße", "Ann <ann@example.net>"]);
assert.equal(mail.attachments[0].name, "a.pdf");
assert.equal((await hog.search("ihr code")).count, 1);
assert.equal((await hog.deleteMessage(mail.ID)).statusCode, 200);
assert.equal((await hog.messages()).total, 0);

await mailer.sendMail({ from: "a@example.net", to: "carl@public.example", text: "Größe", html: "<p>Größe" });
const [plain] = (await hog.messages()).items;
assert.deepEqual([plain.text.trim(), plain.html.trim()], ["Größe", "<p>Größe"]);
assert.equal((await hog.deleteAll()).statusCode, 200);

const sent = await mailpit.sendMessage({
  From: { Email: "ann@example.net" },
  To: [{ Email: "bob@public.example" }],
  Subject: "handed in",
});
assert.equal((await mailpit.getMessageSummary(sent.ID)).Subject, "handed in");
assert.equal(await mailpit.deleteMessages(), "ok");
assert.equal((await mailpit.listMessages()).total, 0);
console.log("both are served");
