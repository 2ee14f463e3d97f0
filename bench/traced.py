"""The service with one thing more: at its end it writes how long each record took to a file.

`python -m bench.traced FILE`; the environment as for `projector run`.
"""

import asyncio
import sys
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path

from neon_projector.consumer.environment import load_settings
from neon_projector.consumer.logs.setup import set_up_logging
from neon_projector.consumer.runner import run
from neon_projector.consumer.telemetry.histogram import BatchHistogram


def main(path: str) -> None:
    taken = array("d")
    observe_all = BatchHistogram.observe_all

    def observe(
        self: BatchHistogram, values: Iterable[tuple[float, int]], exemplar: Mapping[str, str] | None = None
    ) -> None:
        known = list(values)
        for seconds, times in known:
            taken.extend([seconds] * times)
        observe_all(self, known, exemplar)

    BatchHistogram.observe_all = observe  # type: ignore[method-assign]  # measured from outside
    settings = load_settings()
    set_up_logging(settings.log_level, settings.log_format)
    asyncio.run(run(settings))
    Path(path).write_bytes(taken.tobytes())


if __name__ == "__main__":
    main(sys.argv[1])
