/** The settings under `dpp.` in package.json. */

import * as vscode from "vscode";

export type Hints = "off" | "top" | "all";

export interface Settings {
  readonly path: string;
  readonly arguments: readonly string[];
  readonly inlayHints: Hints;
  readonly codeLens: boolean;
  readonly statusBar: boolean;
  readonly formatOnSave: boolean;
}

export function settings(resource?: vscode.Uri): Settings {
  const section = vscode.workspace.getConfiguration("dpp", resource);
  return {
    path: section.get("path", ""),
    arguments: section.get<string[]>("arguments", []),
    inlayHints: section.get<Hints>("inlayHints", "top"),
    codeLens: section.get("codeLens", true),
    statusBar: section.get("statusBar", true),
    formatOnSave: section.get("formatOnSave", false),
  };
}

/** Those that ask for another server process when they change. */
export const RESTARTING = ["dpp.path", "dpp.arguments"] as const;
