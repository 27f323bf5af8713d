/** Finding the `dpp` to run. Pure but for the questions it asks its {@link Host}. */

import { posix, win32 } from "node:path";

/** What is known of the machine. */
export interface Host {
  readonly platform: NodeJS.Platform;
  /** The user's folder, for `~`. */
  readonly home: string;
  /** The variable `PATH`. */
  readonly path: string;
  isFile(path: string): boolean;
}

/** What the user and the workspace say. */
export interface Wishes {
  /** The setting `dpp.path`; empty if unset. */
  readonly setting: string;
  /** Folders of the workspace, the one of the file in front first. */
  readonly folders: readonly string[];
  /** The Python that the Python extension has selected. */
  readonly interpreter: string | undefined;
}

/** A program to start `dpp` with; `before` are arguments that come before those of `dpp`. */
export interface Dpp {
  readonly kind: "found";
  readonly program: string;
  readonly before: readonly string[];
  readonly origin: string;
}

/** No `dpp`: `reason` is a sentence for the user, `tried` every file that was looked for. */
export interface Missing {
  readonly kind: "missing";
  readonly reason: string;
  readonly tried: readonly string[];
}

const ENVIRONMENTS = [".venv", "venv", "env"];

/**
 * The setting alone where it is set; else beside the selected Python, in the workspace's virtual environments, on the
 * `PATH`. A Python with dpplang but without the script is asked to run the module.
 */
export function locate(wishes: Wishes, host: Host): Dpp | Missing {
  const paths = host.platform === "win32" ? win32 : posix;
  const names = host.platform === "win32" ? ["dpp.exe", "dpp.cmd"] : ["dpp"];
  const scripts = host.platform === "win32" ? "Scripts" : "bin";
  const tried: string[] = [];

  const first = (candidates: readonly string[]): string | undefined =>
    candidates.find((path) => {
      tried.push(path);
      return host.isFile(path);
    });
  const found = (program: string, origin: string): Dpp => ({ kind: "found", program, before: [], origin });

  if (wishes.setting.trim() !== "") {
    const set = expand(wishes.setting.trim(), wishes.folders, host);
    const candidates = paths.isAbsolute(set)
      ? [set]
      : set.includes("/") || set.includes("\\")
        ? wishes.folders.map((folder) => paths.join(folder, set))
        : directories(host.path, paths.delimiter).map((folder) => paths.join(folder, set));
    const program = first(candidates);
    if (program !== undefined) return found(program, "the setting `dpp.path`");
    return {
      kind: "missing",
      reason: `The setting \`dpp.path\` names \`${wishes.setting}\`, which is no file.`,
      tried,
    };
  }

  if (wishes.interpreter !== undefined) {
    const folder = paths.dirname(wishes.interpreter);
    const beside = first(names.flatMap((name) => [paths.join(folder, name), paths.join(folder, scripts, name)]));
    if (beside !== undefined) return found(beside, "the selected Python environment");
  }
  for (const folder of wishes.folders) {
    const own = first(
      ENVIRONMENTS.flatMap((environment) => names.map((name) => paths.join(folder, environment, scripts, name))),
    );
    if (own !== undefined) return found(own, "the workspace's virtual environment");
  }
  const onPath = first(
    directories(host.path, paths.delimiter).flatMap((folder) => names.map((name) => paths.join(folder, name))),
  );
  if (onPath !== undefined) return found(onPath, "the PATH");

  const where = wishes.interpreter === undefined ? "" : ` The selected Python, ${wishes.interpreter}, has none.`;
  return {
    kind: "missing",
    reason: `No \`dpp\` was found: install it with \`pip install 'dpplang[lsp]'\` into the project's environment, or set \`dpp.path\`.${where}`,
    tried,
  };
}

function directories(path: string, delimiter: string): string[] {
  return path.split(delimiter).filter((folder) => folder !== "");
}

function expand(text: string, folders: readonly string[], host: Host): string {
  const home = text === "~" || text.startsWith("~/") || text.startsWith("~\\") ? host.home + text.slice(1) : text;
  return home.replaceAll(/\$\{(workspaceFolder|userHome)\}/g, (whole, name) =>
    name === "userHome" ? host.home : (folders[0] ?? whole),
  );
}
