"""What processes have used: CPU seconds (user and system) and peak memory, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Of these processes, with what their ended children have used."""
    return sum(_cpu(pid) for pid in pids)


def family(pid: int) -> list[int]:
    """The process and those it has started, as they are now."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                parents[int(entry.name)] = int(fields[1])
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def peak_megabytes(pid: int) -> float:
    """VmHWM: the most memory that was resident at once."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) / CLOCK_TICKS if fields else 0.0


def _stat(pid: int) -> list[str]:
    """The fields behind the command's name (proc(5)): state, parent, …; none where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
