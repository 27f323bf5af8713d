/** dpplang in VS Code: starts the language server, and what VS Code shows of it. */

import * as vscode from "vscode";
import { Explanations } from "./explain";
import { watchInterpreter } from "./python";
import { Server } from "./server";
import { RESTARTING, settings } from "./settings";
import { StatusBar } from "./status";
import { Tasks } from "./tasks";

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const output = vscode.window.createOutputChannel("dpplang", { log: true });
  const server = new Server(output);
  const status = new StatusBar(server);
  const explanations = new Explanations(server);
  context.subscriptions.push(
    output,
    server,
    status,
    explanations.register(),
    vscode.tasks.registerTaskProvider("dpp", new Tasks(server)),
    vscode.commands.registerCommand("dpplang.restart", () => server.restart()),
    vscode.commands.registerCommand("dpplang.showOutput", () => output.show()),
    vscode.commands.registerCommand("dpplang.explain", (code?: unknown) =>
      explanations.show(typeof code === "string" ? code : undefined),
    ),
    vscode.commands.registerCommand("dpplang.selectServer", selectServer),
    vscode.workspace.onDidGrantWorkspaceTrust(() => void server.restart()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (RESTARTING.some((name) => event.affectsConfiguration(name))) void server.restart();
      if (event.affectsConfiguration("dpp.statusBar")) void status.update();
    }),
    vscode.workspace.onWillSaveTextDocument((event) => {
      if (event.document.languageId === "dpp" && formatsOnSave(event)) event.waitUntil(layout(event.document));
    }),
  );
  const watch = await watchInterpreter(() => void server.restart());
  if (watch !== undefined) context.subscriptions.push(watch);
  await server.restart();
}

/** Not where VS Code itself does it, and not when it saves by itself while one types. */
function formatsOnSave(event: vscode.TextDocumentWillSaveEvent): boolean {
  const { uri } = event.document;
  const byEditor = vscode.workspace
    .getConfiguration("editor", { uri, languageId: "dpp" })
    .get<boolean>("formatOnSave", false);
  return settings(uri).formatOnSave && !byEditor && event.reason !== vscode.TextDocumentSaveReason.AfterDelay;
}

async function layout(document: vscode.TextDocument): Promise<vscode.TextEdit[]> {
  const options: vscode.FormattingOptions = { tabSize: 2, insertSpaces: true };
  const edits = await vscode.commands.executeCommand<vscode.TextEdit[] | undefined>(
    "vscode.executeFormatDocumentProvider",
    document.uri,
    options,
  );
  return edits ?? [];
}

async function selectServer(): Promise<void> {
  const picked = await vscode.window.showOpenDialog({ title: "The `dpp` to run", canSelectMany: false });
  const path = picked?.[0]?.fsPath;
  if (path === undefined) return;
  const target =
    vscode.workspace.workspaceFolders === undefined
      ? vscode.ConfigurationTarget.Global
      : vscode.ConfigurationTarget.Workspace;
  await vscode.workspace.getConfiguration("dpp").update("path", path, target);
}
