import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

interface Pattern {
  regexp: string;
  [group: string]: unknown;
}

interface Manifest {
  contributes: {
    problemMatchers: { pattern: Pattern[] }[];
    commands: { command: string }[];
    configuration: { properties: Record<string, unknown> };
    grammars: { path: string }[];
    snippets: { path: string }[];
    languages: { configuration: string; icon: { light: string; dark: string } }[];
  };
  icon: string;
}

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const sources = readdirSync("src").map((name) => readFileSync(`src/${name}`, "utf8"));

/** What VS Code makes of a task's output with the patterns of a matcher over several lines. */
function problems(output: string): Record<string, string>[] {
  const patterns = manifest.contributes.problemMatchers[0]?.pattern ?? [];
  const lines = output.split("\n");
  const found: Record<string, string>[] = [];
  lines.forEach((_, start) => {
    const problem: Record<string, string> = {};
    for (const [offset, pattern] of patterns.entries()) {
      const match = new RegExp(pattern.regexp).exec(lines[start + offset] ?? "");
      if (match === null) return;
      for (const [name, group] of Object.entries(pattern)) {
        if (typeof group === "number") problem[name] = match[group] ?? "";
      }
    }
    found.push(problem);
  });
  return found;
}

describe("the problem matcher", () => {
  it("reads what dpp check prints", () => {
    const output = [
      "error[DPP301]: product of two parametrized expressions",
      "  --> dir with space/m.dpp:14:16",
      " 5 | param gamma pos",
      "",
      "warning[SHP510]: no declared tensor's shape determines `n`",
      " --> C:\\m.dpp:1:5",
      "1 file: 1 error, 1 warning",
    ].join("\n");
    assert.deepEqual(problems(output), [
      {
        severity: "error",
        code: "DPP301",
        message: "product of two parametrized expressions",
        file: "dir with space/m.dpp",
        line: "14",
        column: "16",
      },
      {
        severity: "warning",
        code: "SHP510",
        message: "no declared tensor's shape determines `n`",
        file: "C:\\m.dpp",
        line: "1",
        column: "5",
      },
    ]);
  });

  it("reads what this dpp check printed", { skip: process.env.DPP_CHECK_OUTPUT === undefined }, () => {
    const found = problems(readFileSync(process.env.DPP_CHECK_OUTPUT ?? "", "utf8"));
    const expected = JSON.parse(process.env.DPP_CHECK_PROBLEMS ?? "[]") as unknown[];
    assert.deepEqual(
      found.map(({ severity, code, line, column }) => [severity, code, Number(line), Number(column)]),
      expected,
    );
  });
});

describe("the manifest", () => {
  it("names files that are there", () => {
    const { grammars, snippets, languages } = manifest.contributes;
    const paths = [...grammars, ...snippets].map(({ path }) => path);
    paths.push(
      manifest.icon,
      ...languages.flatMap(({ configuration, icon }) => [configuration, icon.light, icon.dark]),
    );
    for (const path of paths) assert.ok(existsSync(path), path);
  });

  it("declares the commands and settings that the code uses", () => {
    const code = sources.join("\n");
    for (const { command } of manifest.contributes.commands) assert.ok(code.includes(`"${command}"`), command);
    const read = [...code.matchAll(/section\.get(?:<[^>]*>)?\("(\w+)"/g)].map((match) => `dpp.${match[1] ?? ""}`);
    assert.ok(read.length > 4);
    for (const name of read) assert.ok(name in manifest.contributes.configuration.properties, name);
  });

  it("has a language configuration whose patterns compile", () => {
    const text = readFileSync(manifest.contributes.languages[0]?.configuration ?? "", "utf8");
    const rules = JSON.parse(text) as {
      wordPattern: { pattern: string; flags: string };
      indentationRules: Record<string, { pattern: string; flags?: string }>;
      onEnterRules: {
        beforeText: string;
        previousLineText?: string;
        afterText?: string;
        action: { appendText?: string };
      }[];
    };
    const word = new RegExp(rules.wordPattern.pattern, `${rules.wordPattern.flags}g`);
    assert.deepEqual("θ_1 + größe' @ x2".match(word), ["θ_1", "größe", "x2"]);
    const more = rules.indentationRules.increaseIndentPattern;
    const less = rules.indentationRules.decreaseIndentPattern;
    assert.ok(more !== undefined && less !== undefined);
    const indents = (line: string) => new RegExp(more.pattern, more.flags).test(line);
    const dedents = (line: string) => new RegExp(less.pattern, less.flags).test(line);
    for (const line of [
      "subject to",
      "  subject to # c",
      "minimize",
      "minimize sum(",
      "atom f(x) {",
      "  graph {",
      "param",
    ])
      assert.ok(indents(line), line);
    for (const line of ["minimize sum(x)", "var x[n]", "  cap: x <= 1", "return x", "# subject to ("])
      assert.ok(!indents(line), line);
    for (const line of ["return x", "  }", "dim n", "func f(x) = x"]) assert.ok(dedents(line), line);
    for (const line of ["  cap: x <= 1", "data >= 0", "return: x <= 1", "var x"]) assert.ok(!dedents(line), line);
    const entered = (before: string) =>
      rules.onEnterRules.find(
        (rule) =>
          new RegExp(rule.beforeText).test(before) &&
          rule.previousLineText === undefined &&
          rule.afterText === undefined,
      );
    assert.equal(entered("## A doc.")?.action.appendText, "## ");
    assert.equal(entered("x <= 1  # c"), undefined);
  });
});
