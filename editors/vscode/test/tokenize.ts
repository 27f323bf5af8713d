/** Colours texts as VS Code does: reads a JSON list of texts from stdin, writes for each its tokens [line, start, end, scopes]. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as oniguruma from "vscode-oniguruma";
import * as textmate from "vscode-textmate";

const root = process.argv[2] ?? ".";
const grammars: Record<string, string> = {
  "source.dpp": "syntaxes/dpp.tmLanguage.json",
};

async function main(): Promise<void> {
  const wasm = readFileSync(join(root, "node_modules/vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm);
  const complaints: string[] = [];
  console.warn = console.error = (...what: unknown[]) => complaints.push(what.join(" "));
  console.log = console.warn;
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: (scope) => {
      const path = grammars[scope];
      const text = path === undefined ? undefined : readFileSync(join(root, path), "utf8");
      return Promise.resolve(text === undefined ? null : textmate.parseRawGrammar(text, path));
    },
  });
  const grammar = await registry.loadGrammar("source.dpp");
  if (grammar === null) throw new Error("the grammar was not found");
  const texts = JSON.parse(readFileSync(0, "utf8")) as string[];
  const answers = texts.map((text) => {
    let state = textmate.INITIAL;
    return text.split("\n").flatMap((line, number) => {
      const result = grammar.tokenizeLine(line, state);
      state = result.ruleStack;
      return result.tokens.map((token) => [number, token.startIndex, token.endIndex, token.scopes.slice(1)]);
    });
  });
  process.stdout.write(JSON.stringify({ answers, complaints }));
}

void main();
