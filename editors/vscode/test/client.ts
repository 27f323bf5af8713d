/** Drives `dpp lsp` with the packages that VS Code's own client is made of. Arguments: the command that starts `dpp`. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as lsp from "vscode-languageserver-protocol/node";

const URI = "file:///project/client.dpp";
// The letter 𐐷 takes two units of UTF-16: what stands behind it is found only by who counts as VS Code does.
const TEXT = `dim n = 3
param b[n]
var 𐐷[n], y[n]
minimize sum_squares(𐐷 - b) + sum_squares(y)
subject to
  cap: 𐐷 <= 1
return 𐐷, y
`;

const CAPABILITIES: lsp.ClientCapabilities = {
  general: { positionEncodings: ["utf-16"] },
  workspace: { applyEdit: true, configuration: true, workspaceEdit: { documentChanges: true } },
  textDocument: {
    synchronization: { dynamicRegistration: true, didSave: true },
    hover: { contentFormat: ["markdown", "plaintext"] },
    completion: { completionItem: { snippetSupport: true, documentationFormat: ["markdown"] } },
    codeAction: {
      codeActionLiteralSupport: { codeActionKind: { valueSet: ["", "quickfix", "source", "source.fixAll"] } },
      isPreferredSupport: true,
    },
    rename: { prepareSupport: true },
    publishDiagnostics: { relatedInformation: true, versionSupport: true },
    semanticTokens: {
      requests: { full: { delta: true }, range: true },
      tokenTypes: ["variable", "parameter"],
      tokenModifiers: ["declaration"],
      formats: ["relative"],
    },
  },
};

/** A document as an editor holds it. */
class Editor {
  version = 1;
  constructor(
    readonly connection: lsp.ProtocolConnection,
    public text: string,
  ) {}

  async open(): Promise<void> {
    await this.connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, {
      textDocument: { uri: URI, languageId: "dpp", version: this.version, text: this.text },
    });
  }

  /** The place of a part of the text, in lines and UTF-16 units, as JavaScript counts anyway. */
  range(part: string, occurrence = 1): lsp.Range {
    let offset = -1;
    for (let found = 0; found < occurrence; found++) offset = this.text.indexOf(part, offset + 1);
    assert(offset >= 0, part);
    return { start: this.position(offset), end: this.position(offset + part.length) };
  }

  async replace(range: lsp.Range, text: string): Promise<void> {
    this.text = applied(this.text, [{ range, newText: text }]);
    this.version += 1;
    await this.connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
      textDocument: { uri: URI, version: this.version },
      contentChanges: [{ range, text }],
    });
  }

  private position(offset: number): lsp.Position {
    const before = this.text.slice(0, offset).split("\n");
    return { line: before.length - 1, character: before.at(-1)?.length ?? 0 };
  }
}

function applied(text: string, edits: readonly lsp.TextEdit[]): string {
  const lines = text.split("\n");
  const offset = ({ line, character }: lsp.Position) =>
    lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0) + character;
  return [...edits]
    .sort((a, b) => offset(b.range.start) - offset(a.range.start))
    .reduce((t, { range, newText }) => t.slice(0, offset(range.start)) + newText + t.slice(offset(range.end)), text);
}

function editsOf(edit: lsp.WorkspaceEdit | null | undefined): lsp.TextEdit[] {
  const changes = edit?.changes?.[URI] ?? [];
  const documents = (edit?.documentChanges ?? []).flatMap((change) =>
    lsp.TextDocumentEdit.is(change) ? (change.edits as lsp.TextEdit[]) : [],
  );
  return [...changes, ...documents];
}

async function session(
  capabilities: lsp.ClientCapabilities,
  work: (connection: lsp.ProtocolConnection, answer: lsp.InitializeResult) => Promise<void>,
): Promise<void> {
  const [program, ...given] = process.argv.slice(2);
  assert(program !== undefined, "the command that starts `dpp` is missing");
  const child = spawn(program, [...given, "lsp"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const connection = lsp.createProtocolConnection(child.stdout, child.stdin);
  connection.onRequest(lsp.ConfigurationRequest.type, ({ items }) => items.map(() => ({ inlayHints: "all" })));
  connection.onRequest(lsp.RegistrationRequest.type, () => undefined);
  connection.listen();
  const answer = await connection.sendRequest(lsp.InitializeRequest.type, {
    processId: process.pid,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the protocol asks for it, and VS Code sends it
    rootUri: null,
    capabilities,
    initializationOptions: { inlayHints: "all" },
  });
  await connection.sendNotification(lsp.InitializedNotification.type, {});
  await work(connection, answer);
  await connection.sendRequest(lsp.ShutdownRequest.type);
  await connection.sendNotification(lsp.ExitNotification.type);
  assert.equal(await ended, 0, "the server's exit code");
  connection.dispose();
}

async function pull(connection: lsp.ProtocolConnection): Promise<lsp.Diagnostic[]> {
  const report = await connection.sendRequest(lsp.DocumentDiagnosticRequest.type, { textDocument: { uri: URI } });
  assert(report.kind === "full");
  return report.items;
}

async function pulling(connection: lsp.ProtocolConnection, answer: lsp.InitializeResult): Promise<void> {
  const { capabilities } = answer;
  assert.ok((capabilities.positionEncoding ?? "utf-16") === "utf-16");
  const textDocument = { uri: URI };
  const editor = new Editor(connection, TEXT);
  await editor.open();
  assert.deepEqual(await pull(connection), []);

  const y = editor.range("y[n]");
  const hover = await connection.sendRequest(lsp.HoverRequest.type, { textDocument, position: y.start });
  assert.deepEqual(hover?.range, { start: y.start, end: { ...y.start, character: y.start.character + 1 } });
  assert(lsp.MarkupContent.is(hover.contents));
  assert.match(hover.contents.value, /var y/);

  await editor.replace(editor.range("<= 1"), "<= zz");
  const [unknown] = await pull(connection);
  assert.deepEqual(unknown?.range, editor.range("zz"));
  await editor.replace(editor.range("zz"), "1");

  await editor.replace(editor.range("sum_squares(y)"), "sum_square(y)");
  const diagnostics = await pull(connection);
  assert.equal(diagnostics.length, 1);
  const actions = await connection.sendRequest(lsp.CodeActionRequest.type, {
    textDocument,
    range: editor.range("sum_square(y)"),
    context: { diagnostics },
  });
  const fix = actions?.find(
    (action): action is lsp.CodeAction => lsp.CodeAction.is(action) && action.edit !== undefined,
  );
  assert(fix !== undefined, JSON.stringify(actions));
  for (const { range, newText } of editsOf(fix.edit)) await editor.replace(range, newText);
  assert.equal(editor.text, TEXT);
  assert.deepEqual(await pull(connection), []);

  const minimized = editor.range("sum_squares(y");
  await editor.replace({ start: minimized.start, end: minimized.start }, "norm1(");
  const inside = { line: minimized.start.line, character: minimized.start.character + "norm1(".length };
  const completed = await connection.sendRequest(lsp.CompletionRequest.type, { textDocument, position: inside });
  const labels = (Array.isArray(completed) ? completed : (completed?.items ?? [])).map(({ label }) => label);
  assert.ok(labels.includes("𐐷") && labels.includes("huber"), labels.slice(0, 20).join(" "));
  await editor.replace(editor.range("norm1("), "");

  const position = editor.range("𐐷 <= 1").start;
  assert.notEqual(await connection.sendRequest(lsp.PrepareRenameRequest.type, { textDocument, position }), null);
  const renamed = await connection.sendRequest(lsp.RenameRequest.type, { textDocument, position, newName: "w" });
  assert.equal(applied(editor.text, editsOf(renamed)), TEXT.replaceAll("𐐷", "w"));

  const provider = capabilities.semanticTokensProvider;
  const tokens = await connection.sendRequest(lsp.SemanticTokensRequest.type, { textDocument });
  assert(provider !== undefined && tokens !== null);
  const coloured: string[] = [];
  let [line, character] = [0, 0];
  for (let at = 0; at < tokens.data.length; at += 5) {
    const [down = 0, right = 0, length = 0, type = 0] = tokens.data.slice(at, at + 5);
    character = down > 0 ? right : character + right;
    line += down;
    const word = editor.text.split("\n")[line]?.slice(character, character + length) ?? "";
    coloured.push(`${word}:${provider.legend.tokenTypes[type] ?? ""}`);
  }
  for (const wanted of ["𐐷:variable", "b:parameter", "sum_squares:function", "minimize:keyword"])
    assert.ok(coloured.includes(wanted), `${wanted} in ${coloured.join(" ")}`);

  await editor.replace(editor.range("𐐷[n], y[n]"), "𐐷[n],y[ n ]");
  const options = { tabSize: 2, insertSpaces: true };
  const laidOut = await connection.sendRequest(lsp.DocumentFormattingRequest.type, { textDocument, options });
  for (const { range, newText } of [...(laidOut ?? [])].reverse()) await editor.replace(range, newText);
  assert.match(editor.text, /𐐷\[n\], y\[n\]/);
  const again = await connection.sendRequest(lsp.DocumentFormattingRequest.type, { textDocument, options });
  assert.deepEqual(again ?? [], []);
  assert.deepEqual(await pull(connection), []);
}

async function pushing(connection: lsp.ProtocolConnection): Promise<void> {
  const reports: lsp.PublishDiagnosticsParams[] = [];
  let wake: () => void = () => undefined;
  connection.onNotification(lsp.PublishDiagnosticsNotification.type, (report) => {
    reports.push(report);
    wake();
  });
  const reported = async (version: number): Promise<lsp.Diagnostic[]> => {
    for (;;) {
      const found = reports.find((report) => report.version === version);
      if (found !== undefined) return found.diagnostics;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const editor = new Editor(connection, TEXT.replace("<= 1", "<= zz"));
  await editor.open();
  assert.deepEqual(
    (await reported(1)).map(({ range }) => range),
    [editor.range("zz")],
  );
  await editor.replace(editor.range("zz"), "1");
  assert.deepEqual(await reported(2), []);
  // Typed faster than it is checked: the last version is reported.
  for (const letter of "sqrt") await editor.replace(insertion(editor.range("y)", 1)), letter);
  assert.ok((await reported(editor.version)).length > 0);
}

function insertion({ start }: lsp.Range): lsp.Range {
  return { start, end: start };
}

async function main(): Promise<void> {
  const textDocument = CAPABILITIES.textDocument ?? {};
  await session({ ...CAPABILITIES, textDocument: { ...textDocument, diagnostic: {} } }, pulling);
  await session(CAPABILITIES, pushing);
  console.log("the client is content");
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
