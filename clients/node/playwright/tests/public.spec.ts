import { expect, test } from "@mailsacd/playwright";
import { createTransport } from "nodemailer";

test.use({ mailsacdKey: "", mailDomain: "playwright.example" });

test("without a key the inbox is a public one", async ({ inbox, mailsacdRun }) => {
  expect(mailsacdRun).toBeUndefined();
  expect(inbox.address).toMatch(/^without-a-key-the-inbox-is-[0-9a-f]{16}@playwright\.example$/);
  const transport = createTransport({ host: "127.0.0.1", port: Number(process.env["SMTP_PORT"]), ignoreTLS: true });
  await transport.sendMail({ from: "ann@a.example", to: inbox.address, subject: "hi", text: "x" });
  expect((await inbox.waitForMail()).subject).toBe("hi");
});
