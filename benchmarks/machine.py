"""What it was measured on, and how fast that machine is: words and two speeds, no names of hosts or paths."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import torch

PACKAGES = (
    "torch", "numpy", "scipy", "clarabel", "scs", "daqp",
    "cvxpy", "cvxpylayers", "diffcp", "moreau", "proxsuite", "qpth", "diffapqp",
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """gflops of a large matrix product, GB/s of a large copy (read + written), over all threads."""

    cores: int
    processor: str
    memory: float
    python: str
    versions: dict[str, str]
    threads: int
    gflops: float
    bandwidth: float

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def describe() -> Machine:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    versions: dict[str, str] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    speeds = _gflops(), _bandwidth()
    return Machine(cores, _processor(), total, platform.python_version(), versions, torch.get_num_threads(), *speeds)


def _processor() -> str:
    found: dict[str, str] = {}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            found.setdefault(key.strip(), value.strip())
    name = found.get("model name") or platform.processor() or platform.machine()
    family = f", family {found['cpu family']} model {found['model']}" if "cpu family" in found else ""
    wide = " with AVX-512" if "avx512f" in found.get("flags", "") else ""
    return f"{name}{family}{wide}"


def _best(run, repeats: int = 7) -> float:
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def _gflops(n: int = 1024) -> float:
    a = torch.randn(n, n, dtype=torch.float64)
    return 2 * n**3 / _best(lambda: a @ a) / 1e9


def _bandwidth(size: int = 1 << 24) -> float:
    a = torch.randn(size, dtype=torch.float64)
    b = torch.empty_like(a)
    return 16 * size / _best(lambda: b.copy_(a)) / 1e9
