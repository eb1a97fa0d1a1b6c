import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "tests",
  globalSetup: "./tests/shop.ts",
  fullyParallel: true,
  workers: 2,
  reporter: "line",
  use: {
    baseURL: process.env["SHOP_URL"], // as the workers see it
    launchOptions: { executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: ["--no-sandbox"] },
  },
});
