/** The status bar item: the verdict on the program in front, or what became of the server. */

import * as vscode from "vscode";
import type { Server, Status } from "./server";
import { settings } from "./settings";
import { type Level, verdict } from "./verdict";

const BACKGROUNDS: Record<Level, string | undefined> = {
  good: undefined,
  warning: undefined,
  error: "statusBarItem.errorBackground",
};

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("dpplang.verdict", vscode.StatusBarAlignment.Left, 10);
  private readonly subscriptions: vscode.Disposable[];
  private status: Status = "stopped";
  private asked = 0;

  constructor(private readonly server: Server) {
    this.item.name = "dpplang";
    this.subscriptions = [
      server.onStatus((status) => {
        this.status = status;
        void this.update();
      }),
      server.onLens((uri) => {
        if (uri.toString() === vscode.window.activeTextEditor?.document.uri.toString()) void this.update();
      }),
      vscode.window.onDidChangeActiveTextEditor(() => void this.update()),
      vscode.languages.onDidChangeDiagnostics(({ uris }) => {
        const front = vscode.window.activeTextEditor?.document.uri.toString();
        if (uris.some((uri) => uri.toString() === front)) void this.update();
      }),
    ];
    void this.update();
  }

  async update(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (document?.languageId !== "dpp" || !settings(document.uri).statusBar) {
      this.item.hide();
      return;
    }
    if (this.status === "running") {
      const asked = ++this.asked;
      const lens = await this.server.lens(document.uri).catch(() => undefined);
      if (asked !== this.asked) return; // another file or a newer text has been asked for
      this.showVerdict(document.uri, lens);
    } else {
      const words = {
        stopped: "$(circle-slash) dpp: stopped",
        starting: "$(sync~spin) dpp",
        failed: "$(warning) dpp: no server",
      };
      this.item.text = words[this.status];
      this.item.tooltip = this.server.problem || "Restart the language server";
      this.item.command = "dpplang.restart";
      this.item.backgroundColor = undefined;
    }
    this.item.show();
  }

  private showVerdict(uri: vscode.Uri, lens: string | undefined): void {
    const severities = vscode.languages.getDiagnostics(uri).map((diagnostic) => diagnostic.severity);
    const count = (wanted: vscode.DiagnosticSeverity) => severities.filter((severity) => severity === wanted).length;
    const shown = verdict(count(vscode.DiagnosticSeverity.Error), count(vscode.DiagnosticSeverity.Warning), lens);
    this.item.text = shown.text;
    this.item.tooltip = shown.tooltip;
    this.item.command = "workbench.actions.view.problems";
    const background = BACKGROUNDS[shown.level];
    this.item.backgroundColor = background === undefined ? undefined : new vscode.ThemeColor(background);
  }

  dispose(): void {
    for (const subscription of [...this.subscriptions, this.item]) subscription.dispose();
  }
}
