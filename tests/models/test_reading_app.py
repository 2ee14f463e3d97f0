"""docs/examples/reading_app: its Alembic beside ours, and what it answers, in one database with the running service."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.documents import blocks
from tests.support.examples import EXAMPLES
from tests.support.factories import a_document_event, a_record, a_user_event
from tests.support.projector import PROJECTOR, command, environment, eventually, running_projector
from tests.support.world import World
from tests.test_migrations import fetched

SOURCE = EXAMPLES / "reading_app"
README = (SOURCE / "README.md").read_text()
COMMENT = """

class Comment(SQLModel, table=True):
    __tablename__ = "comments"
    __table_args__ = {"schema": SCHEMA}

    id: int | None = Field(default=None, primary_key=True)
    document_id: UUID = Field(sa_column=Column(ForeignKey(col(Document.id)), nullable=False, index=True))
"""
IMPORTS = (
    "from sqlalchemy import Column, ForeignKey\nfrom sqlmodel import col\nfrom neon_projector.models import Document\n"
)
AUTOGENERATE = """
import sys
from alembic import command, config

application = config.Config("alembic.ini")
command.revision(application, "made", autogenerate=True, rev_id=sys.argv[1])
command.upgrade(application, "head")
command.check(application)  # raises where there is anything left to do
"""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """A copy of the example."""
    return Path(shutil.copytree(SOURCE, tmp_path / "reading_app", ignore=shutil.ignore_patterns("__pycache__")))


async def run(folder: Path, settings: Mapping[str, str], *words: str) -> str:
    """What a Python program prints, in this folder; it must end well."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, *words],
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{words}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def operations(folder: Path, revision: str) -> set[tuple[str, str]]:
    """What the upgrade of a revision does: operations of Alembic's, each with the name that it is given first."""
    (file,) = (folder / "migrations" / "versions").glob(f"{revision}_*.py")
    upgrade = file.read_text().partition("def upgrade")[2].partition("def downgrade")[0]
    return set(re.findall(r"op\.(\w+)\(\s*(?:op\.f\()?'(\w+)'", upgrade))


async def test_its_alembic_sees_its_own_tables_and_ours_sees_ours(application: Path, database: str) -> None:
    settings = {"NEON_DATABASE_URL": database}
    ours = await fetched(database, "SELECT version_num FROM projector.alembic_version")
    shutil.rmtree(application / "migrations" / "versions")
    (application / "migrations" / "versions").mkdir()
    await run(application, settings, "-c", AUTOGENERATE, "first")
    assert operations(application, "first") == {
        ("create_table", "users"),
        ("create_table", "stars"),
        ("create_index", "ix_reading_app_stars_document_id"),
    }
    models = application / "models" / "__init__.py"
    models.write_text(models.read_text().replace("from sqlmodel", f"{IMPORTS}from sqlmodel", 1) + COMMENT)
    await run(application, settings, "-c", AUTOGENERATE, "second")
    assert operations(application, "second") == {
        ("create_table", "comments"),
        ("create_index", "ix_reading_app_comments_document_id"),
    }
    keys = "SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = '{}'::regclass"
    assert await fetched(database, keys.format("reading_app.comments")) == [("documents",)]
    done = await asyncio.to_thread(command, "migrate", settings=settings)
    assert done.returncode == 0, done.stderr
    assert await fetched(database, "SELECT version_num FROM projector.alembic_version") == ours
    assert await fetched(database, "SELECT version_num FROM reading_app.alembic_version") == [("second",)]


async def test_it_answers_from_the_tables_beside_the_running_service(application: Path, world: World) -> None:
    install, url, migrate, serve = (line for block in blocks(README, "sh") for line in block.splitlines())
    assert (install, url.partition("=")[0]) == ("pip install -r requirements.txt", "export NEON_DATABASE_URL")
    await world.create_topics()
    user, document = uuid4(), uuid4()
    events = [a_user_event(id=user), a_document_event(id=document, owner=user, content="Dear Charles")]
    await asyncio.to_thread(shell, f"{migrate} && alembic check", application, world)
    with running_projector(world.settings), served(serve, application, world) as app:
        await world.publish([a_record(event) for event in events])
        await world.until("SELECT count(*)::int FROM documents", 1)
        page = app.get("/users?limit=1")
        assert ([one["id"] for one in page["rows"]], page["after"]) == ([str(user)], None)
        assert [one["title"] for one in app.get(f"/users/{user}")["documents"]] == ["Notes"]
        assert [one["id"] for one in app.get(f"/documents?user_id={user}")["rows"]] == [str(document)]
        assert app.get(f"/documents/{document}")["content"] == "Dear Charles"
        assert [app.status("GET", f"/documents?{query}") for query in ("limit=0", "after=x")] == [422, 422]
        assert [app.status("GET", f"/users/{document}"), app.status("PUT", f"/users/{user}/stars/{user}")] == [404, 404]
        assert [app.status("PUT", f"/users/{user}/stars/{document}") for _ in range(2)] == [204, 204]
        assert [one["id"] for one in app.get(f"/users/{user}/stars")] == [str(document)]
        for version, kind, shown in ((2, "deleted", 0), (3, "created", 1)):
            again = {"owner": user} if kind == "created" else {}
            await world.publish([a_record(a_document_event(kind, id=document, version=version, **again))])
            await world.until("SELECT count(*)::int FROM documents", shown)
            assert len(app.get(f"/users/{user}/stars")) == shown
    assert await world.value("SELECT theme FROM reading_app.users") == "light"


class Answering:
    """The served application."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self._url + path, timeout=30) as answer:
            return json.load(answer)

    def status(self, method: str, path: str) -> int:
        try:
            with urllib.request.urlopen(urllib.request.Request(self._url + path, method=method), timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    def answers(self) -> bool:
        try:
            return self.status("GET", "/openapi.json") == 200
        except urllib.error.URLError:
            return False


@contextmanager
def served(command: str, folder: Path, world: World) -> Iterator[Answering]:
    """What the last line of the README starts, on a port of its own."""
    port = free_port()
    line = f"exec {command.replace('8000', str(port))}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["bash", "-c", line], cwd=folder, env=in_the_shell(world), stdout=log, stderr=log)
        try:
            app = Answering(port)
            eventually("the application answers", lambda: app.answers() or process.poll() is not None, 120)
            assert process.poll() is None, (folder / "log").read_text()
            yield app
        finally:
            process.kill()
            process.wait()


def shell(line: str, folder: Path, world: World) -> None:
    done = subprocess.run(
        ["bash", "-euc", line], cwd=folder, env=in_the_shell(world), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def in_the_shell(world: World) -> dict[str, str]:
    settings = {"NEON_DATABASE_URL": world.database_url}
    return environment(settings) | {"PATH": f"{PROJECTOR.parent}{os.pathsep}{os.environ['PATH']}"}
