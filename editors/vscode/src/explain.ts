/** The command that explains a diagnostic's code, in a read-only page: what `dpp explain` prints. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as vscode from "vscode";
import type { Server } from "./server";

const SCHEME = "dpp-explain";
const CODE = /^[A-Z]{3}\d{3}$/;

export class Explanations implements vscode.TextDocumentContentProvider {
  constructor(private readonly server: Server) {}

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const code = uri.path.replace(/\.md$/, "");
    const found = await this.server.find();
    if (found.kind === "missing" || !vscode.workspace.isTrusted) return this.server.problem;
    const run = promisify(execFile);
    const { stdout } = await run(found.program, [...found.before, "explain", code], {
      env: { ...process.env, NO_COLOR: "1" },
    });
    return stdout;
  }

  /** Opens the page of a code; asks for one, with those of the file in front, where none is given. */
  async show(code?: string): Promise<void> {
    const wanted = code ?? (await this.ask());
    if (wanted === undefined || !CODE.test(wanted)) return;
    const document = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: SCHEME, path: `${wanted}.md` }));
    await vscode.window.showTextDocument(document, { preview: true, viewColumn: vscode.ViewColumn.Beside });
  }

  private async ask(): Promise<string | undefined> {
    const editor = vscode.window.activeTextEditor;
    const diagnostics = editor === undefined ? [] : vscode.languages.getDiagnostics(editor.document.uri);
    const codes = new Map<string, string>();
    const here = editor?.selection.active;
    const nearest = [...diagnostics].sort(
      (a, b) =>
        Number(here === undefined || !b.range.contains(here)) - Number(here === undefined || !a.range.contains(here)),
    );
    for (const { code, message } of nearest) {
      const text = typeof code === "object" ? String(code.value) : String(code ?? "");
      if (CODE.test(text)) codes.set(text, message.split("\n")[0] ?? "");
    }
    if (codes.size === 0) {
      return vscode.window.showInputBox({
        prompt: "A code such as DPP301",
        validateInput: (text) => (CODE.test(text) ? undefined : "Three capitals and three digits"),
      });
    }
    const picked = await vscode.window.showQuickPick(
      [...codes].map(([label, description]) => ({ label, description })),
    );
    return picked?.label;
  }

  register(): vscode.Disposable {
    return vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }
}
