/** The language server's process and the client on it: started, restarted and stopped one after the other. */

import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import * as vscode from "vscode";
import {
  type CodeLens,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  State,
} from "vscode-languageclient/node";
import { type Dpp, locate, type Missing } from "./locate";
import { interpreter } from "./python";
import { settings } from "./settings";

export type Status = "stopped" | "starting" | "running" | "failed";

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private queue: Promise<void> = Promise.resolve();
  private readonly changed = new vscode.EventEmitter<Status>();
  readonly onStatus = this.changed.event;
  private readonly lensed = new vscode.EventEmitter<vscode.Uri>();
  /** A program has been given a lens, perhaps another one: it is asked for again once the canonical size is known. */
  readonly onLens = this.lensed.event;
  /** Why there is no server, in a sentence. */
  problem = "";

  constructor(private readonly output: vscode.LogOutputChannel) {}

  get running(): LanguageClient | undefined {
    return this.client?.state === State.Running ? this.client : undefined;
  }

  restart(): Promise<void> {
    return this.enqueue(async () => {
      await this.stop();
      await this.start();
    });
  }

  /** The title of the code lens on a program. */
  async lens(uri: vscode.Uri): Promise<string | undefined> {
    const lenses = await this.running?.sendRequest<CodeLens[] | null>("textDocument/codeLens", {
      textDocument: { uri: uri.toString() },
    });
    return lenses?.find((lens) => lens.command !== undefined)?.command?.title;
  }

  async find(): Promise<Dpp | Missing> {
    const front = vscode.window.activeTextEditor?.document.uri;
    const own = front === undefined ? undefined : vscode.workspace.getWorkspaceFolder(front);
    const folders = (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file");
    const ordered = [...folders.filter((folder) => folder === own), ...folders.filter((folder) => folder !== own)];
    return locate(
      {
        setting: settings(front).path,
        folders: ordered.map((folder) => folder.uri.fsPath),
        interpreter: await interpreter(front),
      },
      {
        platform: process.platform,
        home: homedir(),
        path: process.env.PATH ?? process.env.Path ?? "",
        isFile: (path) => existsSync(path) && statSync(path).isFile(),
      },
    );
  }

  dispose(): void {
    void this.enqueue(() => this.stop());
    this.changed.dispose();
    this.lensed.dispose();
  }

  private enqueue(task: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(task, task);
    return this.queue;
  }

  private async start(): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      this.fail("The workspace is not trusted: the server would run its Python environment.");
      return;
    }
    const found = await this.find();
    if (found.kind === "missing") {
      this.output.error(`${found.reason}\nLooked for:\n${found.tried.map((path) => `  ${path}`).join("\n")}`);
      this.fail(found.reason);
      void this.offer(found.reason);
      return;
    }
    this.output.info(`${found.program} from ${found.origin}`);
    this.changed.fire("starting");
    const command = { command: found.program, args: [...found.before, "lsp", ...settings().arguments] };
    const client = new LanguageClient("dpp", "dpplang", command, this.options());
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) this.changed.fire("running");
      else if (newState === State.Stopped) this.changed.fire("stopped");
    });
    this.client = client;
    try {
      await client.start();
      this.problem = "";
    } catch (error) {
      this.client = undefined;
      const reason = `\`${found.program} lsp\` did not start: ${error instanceof Error ? error.message : String(error)}`;
      this.fail(reason);
      void this.offer(`${reason}. The server is part of \`pip install 'dpplang[lsp]'\`; the output says more.`);
    }
  }

  private async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client !== undefined && client.state !== State.Stopped) {
      await client.stop().catch((error: unknown) => {
        this.output.warn(`the server did not stop in time: ${String(error)}`);
      });
    }
    await client?.dispose();
  }

  private fail(reason: string): void {
    this.problem = reason;
    this.changed.fire("failed");
  }

  private async offer(reason: string): Promise<void> {
    const [settle, log] = ["Open the setting", "Show what was tried"];
    const choice = await vscode.window.showErrorMessage(reason, settle, log);
    if (choice === settle) await vscode.commands.executeCommand("workbench.action.openSettings", "dpp.path");
    else if (choice === log) this.output.show();
  }

  private options(): LanguageClientOptions {
    const middleware: Middleware = {
      provideInlayHints: (document, range, token, next) =>
        settings(document.uri).inlayHints === "off" ? [] : next(document, range, token),
      provideCodeLenses: async (document, token, next) => {
        if (!settings(document.uri).codeLens) return [];
        const lenses = await next(document, token);
        this.lensed.fire(document.uri);
        return lenses;
      },
    };
    return {
      documentSelector: [
        { scheme: "file", language: "dpp" },
        { scheme: "untitled", language: "dpp" },
      ],
      initializationOptions: settings(),
      synchronize: {
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server takes what is sent; it asks for nothing
        configurationSection: "dpp",
        fileEvents: [
          vscode.workspace.createFileSystemWatcher("**/*.dpp"),
          vscode.workspace.createFileSystemWatcher("**/dpp.toml"),
        ],
      },
      outputChannel: this.output,
      middleware,
    };
  }
}
