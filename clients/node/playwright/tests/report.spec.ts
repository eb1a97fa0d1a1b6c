import { execFileSync, type SpawnSyncReturns } from "node:child_process";
import { expect, test } from "@mailsacd/playwright";

// Has Playwright run a test that fails, and looks at its report
test("the report of a test that failed has the mail that came", () => {
  const runner = require.resolve("@playwright/test/cli");
  let report = "";
  try {
    execFileSync(process.execPath, [runner, "test", "--config", "tests/failing", "--reporter", "json"]);
  } catch (e) {
    report = (e as SpawnSyncReturns<Buffer>).stdout.toString();
  }
  const [result] = JSON.parse(report).suites[0].specs[0].tests[0].results;
  expect(result.error.message).toContain("No message that fits came within 0 s");
  expect(result.error.message).toContain('"Your invoice"');
  const [mail] = result.attachments.filter((each: { contentType: string }) => each.contentType === "message/rfc822");
  expect(mail.name).toMatch(/^fails-\w+@run-\w+\.example\.com, Your invoice\.eml$/);
  expect(Buffer.from(mail.body, "base64").toString()).toContain("Subject: Your invoice");
});
