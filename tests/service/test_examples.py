"""The examples of docs/examples run against a real broker, and one running service shows what they published."""

import asyncio
import json
import os
import re
import subprocess
from binascii import crc32
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2

from neon_projector.projections.publishing.documents import Format, document
from neon_projector.projections.publishing.form import Form
from neon_projector.projections.registry import CONTRACT_VERSION, REGISTRY
from tests.support.documents import ROOT, blocks
from tests.support.examples import EXAMPLES, NAMES, command
from tests.support.projector import PROJECTOR, environment, running_projector
from tests.support.projector import command as projector
from tests.support.schemas import Verdict
from tests.support.world import World

PARTITIONS = 12
EACH = 6
"""Events of one example: 2 of its user, 4 of its documents."""
strict = Verdict(document(REGISTRY, CONTRACT_VERSION, Form.STRICT, Format.JSON_SCHEMA))


async def test_what_each_example_publishes_is_shown_as_meant(world: World, tmp_path: Path) -> None:
    await world.create_topics(partitions=PARTITIONS)
    commands = {name: await asyncio.to_thread(command, name, tmp_path) for name in NAMES}
    with running_projector(world.settings):
        for name, words in commands.items():
            await run(name, words, world)
        await world.until("SELECT sum(applied)::int FROM projector.offsets", EACH * len(NAMES))
    shown = await world.rows(
        "SELECT email, name, users.version AS edition, title, content, documents.version FROM users "
        "JOIN documents ON users.id = user_id ORDER BY email"
    )
    row = {"name": "Ada Lovelace", "edition": 2, "title": "A letter", "content": "Dear Charles", "version": 2}
    assert shown == [{"email": f"ada@{name}.example", **row} for name in sorted(NAMES)]
    deleted = "SELECT count(*)::int FROM projector.absent_states WHERE entity = 'document' AND reason = 'deleted'"
    assert await world.value(deleted) == len(NAMES)
    records = await published(world)
    keys_lie_where_javas_client_puts_them(records)
    assert {UUID(record.key.decode()) for record in records} >= ids_by_python() != set()
    for record in records:
        assert dict(record.headers) == {"content-type": b"application/cloudevents+json"}
        assert strict.accepts(json.loads(record.value))
    lines = tmp_path / "events.jsonl"
    lines.write_bytes(b"".join(record.value + b"\n" for record in records))
    checked = projector("publish", str(lines), "--check", settings={})
    assert checked.stdout.endswith(f"{len(records)} lines, {len(records)} events, 0 bad lines, 0 warnings\n")


async def test_the_first_event_of_the_guide_is_shown(world: World, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "publishing.md").read_text().partition("## Your first event\n")[2].partition("\n## ")[0]
    publish, look = (block for block in blocks(guide, "sh") if "ada" in block)
    await world.create_topics(partitions=4)
    with running_projector(world.settings):
        said = await asyncio.to_thread(shell, publish, world, tmp_path)
        assert said.count("1 line, 1 event") == 2
        await world.until("SELECT count(*)::int FROM users WHERE email = 'ada@example.com'", 1)
        assert "it is there, as user of version 1" in await asyncio.to_thread(shell, look, world, tmp_path)


def test_what_is_tested_is_what_the_python_examples_ask_for() -> None:
    locked = (ROOT / "requirements.lock").read_text()
    for line in (EXAMPLES / "python" / "requirements.txt").read_text().splitlines():
        assert re.search(rf"^{re.escape(line)}\b", locked, re.M), line


def shell(block: str, world: World, folder: Path) -> str:
    """What a block of shell prints; it must end well."""
    found = {"PATH": f"{PROJECTOR.parent}{os.pathsep}{os.environ['PATH']}"}
    script = ["bash", "-euc", block]
    done = subprocess.run(
        script, env=environment(world.settings) | found, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def run(name: str, words: list[str], world: World) -> None:
    """Run an example to its end."""
    process = await asyncio.create_subprocess_exec(
        *words, env=environment(world.settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, f"{name}:\n{said.decode()[-2000:]}"


async def published(world: World) -> list[Any]:
    """All records of both topics, users first, each partition in its order."""
    topics = (world.users, world.documents)
    async with AIOKafkaConsumer(
        *topics, bootstrap_servers=world.bootstrap, auto_offset_reset="earliest", group_id=None
    ) as client:
        records = [await client.getone() for _ in range(EACH * len(NAMES))]
    return sorted(records, key=lambda record: (topics.index(record.topic), record.partition, record.offset))


def ids_by_python() -> set[UUID]:
    """What the examples must make of their numbers, by the namespace that each of them names."""
    sources = ("python/*.py", "java/*.java", "typescript/*.ts")
    texts = [path.read_text() for source in sources for path in EXAMPLES.glob(source)]
    found = [UUID(own) for text in texts for own in re.findall(r'NAMESPACE = .*"([0-9a-f-]{36})"', text)]
    assert len(found) == len(texts) == len(NAMES) - 1
    return {uuid5(own, name) for own in found for name in ("user/1", "document/1", "document/2")}


def keys_lie_where_javas_client_puts_them(records: list[Any]) -> None:
    lie = {record.key: record.partition for record in records}
    assert len(lie) == 3 * len(NAMES)
    assert lie == {key: (int(murmur2(key)) & 0x7FFFFFFF) % PARTITIONS for key in lie}
    assert all(partition != crc32(key) % PARTITIONS for key, partition in lie.items()), "librdkafka's own would be seen"
