/** Tasks: `dpp check` and `dpp fmt` on the workspace's programs, with the problem matcher `$dpp`. */

import * as vscode from "vscode";
import type { Server } from "./server";

interface Definition extends vscode.TaskDefinition {
  readonly command: "check" | "fmt";
  readonly files?: readonly string[];
}

export class Tasks implements vscode.TaskProvider {
  constructor(private readonly server: Server) {}

  async provideTasks(): Promise<vscode.Task[]> {
    const files = await vscode.workspace.findFiles("**/*.dpp", "**/{node_modules,.venv,venv}/**", 1000);
    if (files.length === 0) return [];
    const tasks = await Promise.all(
      (["check", "fmt"] as const).map((command) =>
        this.task(
          { type: "dpp", command },
          files.map((file) => file.fsPath),
        ),
      ),
    );
    return tasks.filter((task) => task !== undefined);
  }

  async resolveTask(task: vscode.Task): Promise<vscode.Task | undefined> {
    const definition = task.definition as Definition;
    const files = definition.files ?? (await vscode.workspace.findFiles("**/*.dpp")).map((file) => file.fsPath);
    return this.task(definition, files, task.scope);
  }

  private async task(
    definition: Definition,
    files: readonly string[],
    scope?: vscode.Task["scope"],
  ): Promise<vscode.Task | undefined> {
    const found = await this.server.find();
    if (found.kind === "missing") return undefined;
    const execution = new vscode.ProcessExecution(found.program, [...found.before, definition.command, ...files]);
    const task = new vscode.Task(
      definition,
      scope ?? vscode.TaskScope.Workspace,
      `dpp ${definition.command}`,
      "dpplang",
      execution,
      "$dpp",
    );
    if (definition.command === "check") task.group = vscode.TaskGroup.Build;
    return task;
  }
}
