// Nodemailer submits: what it asks to be told of a message goes along.
const assert = require("node:assert/strict");
const nodemailer = require("nodemailer");

const { FROM, TO, KEY, SUBMISSION_PORT } = process.env;

async function main() {
  const transport = nodemailer.createTransport({
    host: "localhost",
    port: SUBMISSION_PORT,
    requireTLS: true,
    auth: { user: "admin", pass: KEY },
  });
  const dsn = { id: "envelope 1", return: "headers", notify: ["failure", "delay"], recipient: TO };
  const mail = { from: `Ann <${FROM}>`, to: TO, bcc: `hidden-${TO}`, subject: "Jörg", text: "hi\n", dsn };
  const { response } = await transport.sendMail(mail);
  assert.match(response, /^250 2\.0\.0 Ok: queued as /);
  await assert.rejects(transport.sendMail({ ...mail, from: `not-${FROM}` }), { responseCode: 550 });
  transport.close();
  console.log("submitted");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
