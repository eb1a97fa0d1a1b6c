// Messages as parsers of npm see them: one message a line in base64 comes in, one view a line in JSON goes out.
//
//     node parsers.mjs postal-mime|mailparser

import { Buffer } from "node:buffer";
import { createInterface } from "node:readline";

const people = (list) =>
  (list ?? []).flatMap((one) => one.group ? people(one.group) : [[(one.address ?? "").toLowerCase(), one.name ?? ""]]);

const bytes = (content) => Buffer.from(content ?? "").toString("base64");

async function postalMime() {
  const { default: PostalMime } = await import("postal-mime");
  return async (raw) => {
    const mail = await new PostalMime({ attachmentEncoding: "arraybuffer", forceRfc822Attachments: true }).parse(raw);
    return {
      subject: mail.subject,
      from: people(mail.from ? [mail.from] : []),
      to: people(mail.to),
      cc: people(mail.cc),
      bcc: people(mail.bcc),
      date: mail.date,
      messageId: mail.messageId,
      text: mail.text,
      html: mail.html,
      attachments: mail.attachments.map((a) => [a.mimeType || "", a.filename || "", bytes(a.content)]),
    };
  };
}

async function mailparser() {
  const { simpleParser } = await import("mailparser");
  const options = {  skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true, skipImageLinks: true, keepDeliveryStatus: true };
  const flat = (field) => people([field ?? []].flat().flatMap((one) => one.value));
  return async (raw) => {
    const mail = await simpleParser(raw, options);
    return {
      subject: mail.subject,
      from: flat(mail.from),
      to: flat(mail.to),
      cc: flat(mail.cc),
      bcc: flat(mail.bcc),
      date: mail.date?.toISOString(),
      messageId: mail.messageId,
      text: mail.text,
      html: mail.html || "",
      attachments: mail.attachments.map((a) => [a.contentType || "", a.filename || "", bytes(a.content)]),
    };
  };
}

const parse = await { "postal-mime": postalMime, mailparser }[process.argv[2]]();
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await parse(Buffer.from(line, "base64"));
  } catch (error) {
    answer = { failed: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
