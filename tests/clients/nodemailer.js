// Nodemailer as it is used: in a line, with a pool, with TLS begun or from the first byte, logged in.
const assert = require("node:assert/strict");
const nodemailer = require("nodemailer");

const { TO, KEY, SMTP_PORT, OFFERED_PORT, TLS_PORT, CAPTURE_PORT } = process.env;
const host = "localhost"; // which stands in the certificate that NODE_EXTRA_CA_CERTS has it trust
const mail = { from: "Ann <ann@a.example>", to: TO, text: "Jörg: hi\n.\n..\n" };
const user = { user: "admin", pass: KEY };

const ways = {
  "with no options": { host: "127.0.0.1", port: SMTP_PORT },
  "by a pool": { host, port: SMTP_PORT, pool: true, maxConnections: 2 },
  "where TLS is offered": { host, port: OFFERED_PORT },
  "where TLS has to be": { host, port: OFFERED_PORT, requireTLS: true },
  "TLS from the first byte": { host, port: TLS_PORT, secure: true },
  "logged in": { host, port: CAPTURE_PORT, auth: user },
  "logged in by LOGIN": { host, port: CAPTURE_PORT, auth: user, authMethod: "LOGIN" },
};

async function main() {
  for (const [subject, options] of Object.entries(ways)) {
    const transport = nodemailer.createTransport(options);
    const sent = [1, 2, 3].map((number) => transport.sendMail({ ...mail, subject, headers: { number } }));
    for (const { accepted, response } of await Promise.all(sent)) {
      assert.deepEqual(accepted, [TO]);
      assert.match(response, /^250 2\.0\.0 /);
    }
    transport.close();
    console.log(subject);
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
