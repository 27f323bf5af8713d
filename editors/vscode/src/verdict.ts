/** The verdict on a program, as the status bar shows it. */

export type Level = "good" | "warning" | "error";

export interface Verdict {
  readonly text: string;
  readonly tooltip: string;
  readonly level: Level;
}

const ICONS: Record<Level, string> = { good: "$(check)", warning: "$(warning)", error: "$(error)" };

/**
 * @param errors number of errors in the file
 * @param warnings number of warnings
 * @param lens the title of the server's code lens, `DPP · 3 parameters, …`; none in a library file
 */
export function verdict(errors: number, warnings: number, lens: string | undefined): Verdict {
  const level: Level = errors > 0 ? "error" : warnings > 0 ? "warning" : "good";
  const parts = (lens ?? "").split(" · ").filter((part) => part !== "");
  const counts = [count(errors, "error"), count(warnings, "warning")].filter((part) => part !== "");
  const head = errors > 0 ? [...parts.slice(0, 1), ...counts].filter(distinct) : [parts[0] ?? "OK", ...counts];
  return {
    text: `${ICONS[level]} dpp: ${head.join(", ")}`,
    tooltip: [...parts, ...counts].filter(distinct).join("\n") || "No errors.",
    level,
  };
}

function count(number: number, noun: string): string {
  return number === 0 ? "" : `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function distinct(part: string, index: number, all: readonly string[]): boolean {
  return all.indexOf(part) === index;
}
