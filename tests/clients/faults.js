// What Nodemailer makes of servers that refuse, hang up, or take their time.
const nodemailer = require("nodemailer");

const { SMTP_PORT, DOMAIN } = process.env;
const faults = ["rcpt-550-5.1.1", "data-451", "end-554-5.6.0", "rcpt-421", "drop-end", "drip-200ms-end", "greylist-1", "greylist-1"];

async function sent(to, options = {}) {
  const transport = nodemailer.createTransport({ host: "127.0.0.1", port: SMTP_PORT, ignoreTLS: true, ...options });
  try {
    const { response } = await transport.sendMail({ from: "a@b.example", to: `${to}@${DOMAIN}`, text: "x" });
    return response.slice(0, 3);
  } catch (error) {
    return `${error.code} ${error.responseCode ?? "-"} ${error.command}`;
  } finally {
    transport.close();
  }
}

async function main() {
  for (const to of faults) console.log(to, await sent(to));
  const name = `tls-fail.${DOMAIN}`;
  console.log(name, await sent("x", { name, ignoreTLS: false, requireTLS: true }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
