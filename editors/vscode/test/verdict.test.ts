import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { verdict } from "../src/verdict";

describe("the verdict", () => {
  it("is the lens's where all is well", () => {
    const shown = verdict(
      0,
      0,
      "DPP · 3 parameters, 1 variable · canonical: 30 variables, 52 rows (12 =, 40 ≥) · n = 10",
    );
    assert.deepEqual(shown, {
      text: "$(check) dpp: DPP",
      tooltip: "DPP\n3 parameters, 1 variable\ncanonical: 30 variables, 52 rows (12 =, 40 ≥)\nn = 10",
      level: "good",
    });
  });

  it("counts what is wrong, once", () => {
    assert.equal(verdict(2, 0, "not DCP · 2 errors").text, "$(error) dpp: not DCP, 2 errors");
    assert.equal(verdict(1, 1, "1 error").text, "$(error) dpp: 1 error, 1 warning");
    assert.equal(verdict(0, 1, "DPP").text, "$(warning) dpp: DPP, 1 warning");
  });

  it("is OK in a library, which has no lens", () => {
    assert.deepEqual(verdict(0, 0, undefined), { text: "$(check) dpp: OK", tooltip: "No errors.", level: "good" });
    assert.equal(verdict(1, 0, undefined).text, "$(error) dpp: 1 error");
  });
});
