import { test } from "@mailsacd/playwright";
import { createTransport } from "nodemailer";

test("fails", async ({ inbox }) => {
  const transport = createTransport({ host: "127.0.0.1", port: Number(process.env["SMTP_PORT"]), ignoreTLS: true });
  await transport.sendMail({ from: "a@a.example", to: inbox.address, subject: "Your invoice", text: "x" });
  await inbox.waitForMail({ subjectIncludes: "code", timeout: 0 });
});
