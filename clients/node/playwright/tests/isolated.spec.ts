// An inbox for each test, with a key and without one. What a page does is in README.md's program.
import { expect, test } from "@mailsacd/playwright";
import { createTransport } from "nodemailer";

const transport = createTransport({ host: "127.0.0.1", port: Number(process.env["SMTP_PORT"]), ignoreTLS: true });

async function send(to: string, subject: string): Promise<void> {
  await transport.sendMail({ from: "ann@a.example", to, subject, text: "in words" });
}

for (const who of ["ann", "bob"]) {
  test(`Each test has its own: ${who}`, async ({ inbox, newInbox, mailsacd }) => {
    const other = newInbox("other");
    expect(inbox.address).toMatch(/^each-test-has-its-own-(ann|bob)?-[0-9a-f]{16}@run-\w+\.example\.com$/);
    await send(inbox.address, who);
    await send(other.address, "other");
    const mail = await inbox.waitForMail();
    expect(mail.subject).toBe(who);
    expect(await mailsacd.text(mail)).toContain("in words");
    expect((await inbox.messages()).length).toBe(1);
    expect((await other.waitForMail()).subject).toBe("other");
  });
}

test("the run outlasts an hour of tests", async ({ mailsacdRun, mailsacdMinutes }) => {
  const minutes = (mailsacdRun!.expires.getTime() - Date.now()) / 60_000;
  expect(mailsacdMinutes).toBe(240);
  expect(minutes).toBeGreaterThan(200);
});

test("the run's mail is nobody's without a key", async ({ inbox, mailsacd }) => {
  await send(inbox.address, "private");
  await inbox.waitForMail({ timeout: 10 });
  await expect(mailsacd.withKey("").list(inbox.address)).rejects.toMatchObject({ status: 401 });
});
