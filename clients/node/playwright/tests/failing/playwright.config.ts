import { defineConfig } from "@playwright/test";

export default defineConfig({ testMatch: "fails.ts", outputDir: "../../test-results-failing" });
