import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Host, locate, type Wishes } from "../src/locate";

function host(files: string[], more: Partial<Host> = {}): Host {
  return {
    platform: "linux",
    home: "/home/ada",
    path: "/usr/bin:/opt/bin",
    isFile: (path) => files.includes(path),
    ...more,
  };
}

const NOTHING: Wishes = { setting: "", folders: [], interpreter: undefined };

function program(wishes: Partial<Wishes>, machine: Host): string {
  const found = locate({ ...NOTHING, ...wishes }, machine);
  assert(found.kind === "found", JSON.stringify(found));
  return found.program;
}

describe("finding dpp", () => {
  const everywhere = host([
    "/set/dpp",
    "/env/bin/dpp",
    "/project/.venv/bin/dpp",
    "/other/venv/bin/dpp",
    "/opt/bin/dpp",
  ]);

  it("takes the setting before the environment, the workspace and the PATH", () => {
    const wishes = { folders: ["/project", "/other"], interpreter: "/env/bin/python" };
    assert.equal(program({ ...wishes, setting: "/set/dpp" }, everywhere), "/set/dpp");
    assert.equal(program(wishes, everywhere), "/env/bin/dpp");
    assert.equal(program({ folders: ["/project", "/other"] }, everywhere), "/project/.venv/bin/dpp");
    assert.equal(program({ folders: ["/other", "/project"] }, everywhere), "/other/venv/bin/dpp");
    assert.equal(program({}, everywhere), "/opt/bin/dpp");
  });

  it("falls through an environment that has no dpp", () => {
    assert.equal(
      program({ interpreter: "/usr/bin/python3", folders: ["/project"] }, everywhere),
      "/project/.venv/bin/dpp",
    );
  });

  it("never falls back where the setting names no file", () => {
    const found = locate({ ...NOTHING, setting: "/nowhere/dpp", folders: ["/project"] }, everywhere);
    assert(found.kind === "missing");
    assert.match(found.reason, /dpp\.path.*\/nowhere\/dpp/);
  });

  it("fills in the home, the workspace folder and relative paths", () => {
    const machine = host(["/home/ada/bin/dpp", "/project/tools/dpp", "/opt/bin/dpp2"]);
    assert.equal(program({ setting: "~/bin/dpp" }, machine), "/home/ada/bin/dpp");
    assert.equal(program({ setting: "${userHome}/bin/dpp" }, machine), "/home/ada/bin/dpp");
    assert.equal(
      program({ setting: "${workspaceFolder}/tools/dpp", folders: ["/project"] }, machine),
      "/project/tools/dpp",
    );
    assert.equal(program({ setting: "tools/dpp", folders: ["/other", "/project"] }, machine), "/project/tools/dpp");
    assert.equal(program({ setting: "dpp2" }, machine), "/opt/bin/dpp2");
  });

  it("says what was tried and what to do", () => {
    const found = locate({ ...NOTHING, folders: ["/project"], interpreter: "/env/bin/python" }, host([]));
    assert(found.kind === "missing");
    assert.match(found.reason, /pip install 'dpplang\[lsp\]'/);
    assert.match(found.reason, /\/env\/bin\/python/);
    for (const path of ["/env/bin/dpp", "/project/.venv/bin/dpp", "/usr/bin/dpp", "/opt/bin/dpp"]) {
      assert.ok(found.tried.includes(path), path);
    }
  });

  it("knows Windows", () => {
    const machine = host(["C:\\work\\.venv\\Scripts\\dpp.exe", "C:\\Python\\Scripts\\dpp.exe", "D:\\bin\\dpp.cmd"], {
      platform: "win32",
      home: "C:\\Users\\ada",
      path: "C:\\bin;D:\\bin",
    });
    assert.equal(program({ folders: ["C:\\work"] }, machine), "C:\\work\\.venv\\Scripts\\dpp.exe");
    assert.equal(program({ interpreter: "C:\\Python\\python.exe" }, machine), "C:\\Python\\Scripts\\dpp.exe");
    assert.equal(program({}, machine), "D:\\bin\\dpp.cmd");
  });

  it("takes no folder for the program", () => {
    assert.equal(program({ folders: ["/project"] }, host(["/opt/bin/dpp"])), "/opt/bin/dpp");
  });
});
