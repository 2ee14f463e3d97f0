"""A Kafka Connect worker (standalone) as a process of its own, and what its REST interface is asked."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.kafka import jars

LOGGING = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
START_SECONDS = 120
FLUSH_MS = 2000
WORKER = """
bootstrap.servers={bootstrap}
listeners=http://127.0.0.1:{port}
offset.storage.file.filename={home}/offsets
offset.flush.interval.ms={flush_ms}
plugin.discovery=service_load
key.converter=org.apache.kafka.connect.storage.StringConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
"""


@dataclass
class Connect:
    """A running worker."""

    process: asyncio.subprocess.Process
    url: str
    log: Path
    connectors: list[str] = field(default_factory=list)
    _looked: float = 0.0

    async def start(self, connectors: Mapping[str, Mapping[str, Any]]) -> None:
        for name, config in connectors.items():
            await self.ask("POST", "/connectors", {"name": name, "config": config})
            self.connectors.append(name)

    async def stop(self) -> None:
        """Without any connector, the worker stays."""
        while self.connectors:
            await self.ask("DELETE", f"/connectors/{self.connectors.pop()}")

    async def failed(self) -> str | None:
        """What a failed task or worker says; asked once a second."""
        if time.monotonic() - self._looked < 1:
            return None
        self._looked = time.monotonic()
        if self.process.returncode is not None:
            return self.log.read_text()[-5000:]
        for name in self.connectors:
            told = await self.ask("GET", f"/connectors/{name}/status")
            for part in (told["connector"], *told["tasks"]):
                if part["state"] == "FAILED":
                    return str(part.get("trace", part))
        return None

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self._ask, method, path, body)

    def _ask(self, method: str, path: str, body: Any) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None


@asynccontextmanager
async def connect_worker(bootstrap: str, pom: Path, home: Path, *jvm: str) -> AsyncIterator[Connect]:
    """Start a worker with what `pom` names; at the end it is killed. In `home` it keeps its offsets and its log."""
    classpath = f"{await asyncio.to_thread(jars, pom)}/*"
    port, properties, log = free_port(), home / "worker.properties", home / "log"
    properties.write_text(WORKER.format(bootstrap=bootstrap, port=port, home=home, flush_ms=FLUSH_MS))
    main = ("org.apache.kafka.connect.cli.ConnectStandalone", str(properties))
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            "java", *jvm, LOGGING, "-cp", classpath, *main, stdout=output, stderr=output, cwd=home
        )
    connect = Connect(process, f"http://127.0.0.1:{port}", log)
    try:
        await _until_up(connect)
        yield connect
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_up(connect: Connect) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            await connect.ask("GET", "/connectors")
        except (OSError, RuntimeError):  # the latter: it listens before it knows its own paths
            if connect.process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Connect did not start:\n{connect.log.read_text()[-5000:]}") from None
            await asyncio.sleep(0.1)
        else:
            return
