"""An hour of normal life under a real Prometheus with the project's rules: which alerts become pending, and which fire.

`python -m bench.quiet_hour [--minutes 60] [--home DIRECTORY]`; with fewer minutes everything goes on earlier. In `home`
are Prometheus' data and the service's log afterwards.
"""

import argparse
import asyncio
import itertools
import math
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaProducer

from bench.freshness import ROOT, interleaved
from neon_projector.consumer.demo.servers.ports import free_port
from neon_projector.consumer.demo.servers.postgres import embedded_postgres
from tests.support.kafka import local_kafka
from tests.support.neon_proxy import NeonProxy, neon_proxy
from tests.support.projector import Projector, eventually, running_projector
from tests.support.prometheus import Prometheus, prometheus
from tests.support.servers import migrate_database
from tests.support.world import World

PLAN = (
    (7, "deploy"),
    (14, "scale_out"),
    (17, "restart_compute"),
    (21, "deploy"),
    (28, "deploy"),
    (32, "scale_in"),
    (35, "deploy"),
    (37, "fall_silent"),
    (38, "sleep"),
    (43, "deploy"),
    (44, "sleep"),
    (47, "go_on"),
    (50, "deploy"),
    (57, "deploy"),
)
"""Minutes of 60, and what is done then. Nobody publishes from `fall_silent` to `go_on`."""
RATE, WAVE, WAVE_SECONDS = 75, 25, 300
"""Events per second: 50 to 100."""
BAD = 200
"""Each 200th record is no JSON."""
WAKE_SECONDS = 3.0
PACE = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())["global"]
STEP = int(PACE["scrape_interval"].rstrip("s"))
READY_SECONDS = STOP_SECONDS = 120


@dataclass
class Life:
    """A publisher, up to two instances of the service, and Prometheus beside them."""

    world: World
    proxy: NeonProxy
    watching: Prometheus
    home: Path
    publishing: asyncio.Event = field(default_factory=asyncio.Event)
    _instances: dict[int, tuple[ExitStack, Projector]] = field(default_factory=dict)

    def start(self, port: int) -> None:
        """An instance whose sidecar is at `port`; until it is ready."""
        database = self.world.database_url.rpartition("/")[2]
        stack = ExitStack()
        running = running_projector(
            self.world.settings | {"NEON_DATABASE_URL": self.proxy.url(database)}, port, afresh=True
        )
        self._instances[port] = stack, stack.enter_context(running)
        projector = self._instances[port][1]
        eventually("the instance is ready", lambda: projector.get("/health/ready")[0] == 200, READY_SECONDS)

    def stop(self, port: int) -> None:
        """With SIGTERM, as an orchestrator does it."""
        stack, projector = self._instances.pop(port)
        assert projector.terminate(STOP_SECONDS) == 0
        with (self.home / "service.log").open("a") as log:
            log.write(projector.logged())
        stack.close()

    def deploy(self) -> None:
        """Replace all instances, one by one."""
        for port in list(self._instances):
            self.stop(port)
            self.start(port)

    def scale_out(self) -> None:
        port = free_port()
        self.watching.watch(*self._instances, port)
        self.start(port)

    def scale_in(self) -> None:
        last = list(self._instances)[-1]
        self.stop(last)
        self.watching.watch(*self._instances)

    def restart_compute(self) -> None:
        """As Neon does it for its updates: all connections are lost."""
        self.proxy.suspend()

    sleep = restart_compute

    def fall_silent(self) -> None:
        self.publishing.clear()

    def go_on(self) -> None:
        self.publishing.set()

    async def publish(self) -> None:
        """For ever: users, documents, updates and a few bad records, with their own time."""
        names, began = self.world.topics, time.monotonic()
        producer = AIOKafkaProducer(bootstrap_servers=self.world.bootstrap, linger_ms=0)
        await producer.start()
        try:
            for number, (topic, key, value) in enumerate(interleaved(10_000_000, seed=1)):
                await self.publishing.wait()
                bad = number % BAD == BAD - 1
                await producer.send(names[topic], key=str(key).encode(), value=b"{" if bad else value)
                rate = RATE + WAVE * math.sin((time.monotonic() - began) / WAVE_SECONDS * 2 * math.pi)
                await asyncio.sleep(1 / rate)
        finally:
            await producer.stop()


def spans(watching: Prometheus, began: float) -> list[dict[str, Any]]:
    """Of each alert that was pending or firing: its labels, the minute when it began, and for how many seconds."""
    series = watching.ask("query_range", query="ALERTS", start=str(began), end=str(time.time()), step=str(STEP))
    found = []
    for one in series["result"]:
        labels = {k: v for k, v in one["metric"].items() if k not in ("__name__", "job")}
        times = [moment for moment, _ in one["values"]]
        breaks = [0, *(n for n in range(1, len(times)) if times[n] - times[n - 1] > STEP), len(times)]
        for first, behind in itertools.pairwise(breaks):
            took = times[behind - 1] - times[first] + STEP
            found.append({"minute": round((times[first] - began) / 60, 1), "seconds": took, **labels})
    return sorted(found, key=lambda span: span["minute"])


async def quiet_hour(life: Life, minutes: float) -> None:
    began = time.time()
    await asyncio.to_thread(life.scale_out)
    life.go_on()
    publishing = asyncio.create_task(life.publish())
    for minute, what in PLAN:
        await asyncio.sleep(began + minute * minutes - time.time())
        print(f"minute {(time.time() - began) / 60:.1f}: {what}", flush=True)
        await asyncio.to_thread(getattr(life, what))
    await asyncio.sleep(began + 60 * minutes - time.time())
    publishing.cancel()
    for span in spans(life.watching, began):
        print(span)
    for name in ("0.5", "0.99"):
        buckets = f"sum by (le) (rate(projector_event_freshness_seconds_bucket[{minutes * 60:.0f}s]))"
        print(f"freshness {name}:", life.watching.values(f"histogram_quantile({name}, {buckets})"))
    print(await life.world.totals())
    for port in list(life._instances):
        life.stop(port)


async def _lived(bootstrap: str, postgres: int, home: Path, minutes: float) -> None:
    async with neon_proxy(postgres) as proxy:
        proxy.wake_seconds = WAKE_SECONDS
        world = World.of_its_own(bootstrap, f"postgresql://postgres@127.0.0.1:{postgres}/postgres")
        await migrate_database(world.database_url)
        await world.create_topics(4)
        with prometheus(home, every=f"{STEP}s") as watching:
            await quiet_hour(Life(world, proxy, watching, home), minutes)


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--home", type=Path)
    given = options.parse_args()
    kept = given.home or Path(tempfile.mkdtemp(prefix="quiet-hour-"))
    print(f"kept in {kept}")
    with local_kafka(jvm=()) as kafka, embedded_postgres() as server:
        asyncio.run(_lived(kafka.bootstrap, server.port, kept, given.minutes))
