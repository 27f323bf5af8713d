"""How long and how large: the dense QP's compilation, and the start-up of ``dpp check``.

    python benchmarks/compile_time.py [n …]

Prints seconds and the growth of the resident set for S, G ∈ ℝⁿˣⁿ (2·n² parameter entries), each in its own process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DENSE_QP = """\
dim n, m
param S[n, n], q[n], G[m, n], h[m]
var x[n]
minimize 0.5 * sum_squares(S @ x) + q' @ x
subject to
  ineq: G @ x <= h
"""


def compile_once(n: int) -> dict[str, float]:
    """Seconds from text to a program, and peak memory of the process, in MB."""
    # Imports come before the clock: they are paid once in a process, whatever it compiles.
    import dpplang
    import dpplang.lowering.lower
    import dpplang.runtime.runner

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    problem = dpplang.parse(DENSE_QP)
    shapes = {"S": (n, n), "q": (n,), "G": (n, n), "h": (n,)}
    program = problem.compile(shapes=shapes)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"n": n, "seconds": seconds, "peak_mb": peak, "added_mb": peak - before, "nonzeros": program.A.nnz}


def check_once() -> float:
    """Seconds of a cold ``dpp check`` process on the same program."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "qp.dpp"
        path.write_text(DENSE_QP)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "dpplang.cli", "check", str(path)], check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--once":
        print(json.dumps(compile_once(int(sys.argv[2]))))
        return
    sizes = [int(a) for a in sys.argv[1:]] or [300, 1000]
    for n in sizes:
        command = [sys.executable, __file__, "--once", str(n)]
        runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(3)]
        best = min(runs, key=lambda r: r["seconds"])
        memory = f"peak {best['peak_mb']:.0f} MB (+{best['added_mb']:.0f} MB)"
        print(f"compile n = {n:5d}: {best['seconds']:.3f} s, {memory}")
    print(f"dpp check, cold: {sorted(check_once() for _ in range(5))[2]:.3f} s")


if __name__ == "__main__":
    main()
