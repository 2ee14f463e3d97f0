"""The examples of docs/reading.md run, one after the other, as they stand there."""

import ast
import inspect
import re
from typing import Any

import pytest

from neon_projector.models.settings import ReaderSettings
from tests.models.asgi import got
from tests.models.rows import Sessions, a_document, a_user, stored
from tests.models.test_waiting import position
from tests.support.documents import ROOT, blocks
from tests.support.servers import execute

DOCUMENT = (ROOT / "docs" / "reading.md").read_text()
RUN = (
    "Settings, engine, session", "Readers", "Pages", "FastAPI", "Synchronous applications", "Read your own writes",
    "Tests of your own",
)  # fmt: skip
"""Headings of the sections whose examples make one program."""


def example(heading: str) -> str:
    """The Python of a section."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    return "\n".join(blocks(section, "python"))


async def test_the_examples_run(
    database: str, empty_database: str, writers: Sessions, reading: ReaderSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ada,) = await stored(writers, a_user())
    (notes, *_) = await stored(writers, *(a_document(ada, "Notes") for _ in range(30)))
    await execute(database, position(8))
    monkeypatch.setenv("NEON_DATABASE_URL", reading.neon_database_url.get_secret_value())
    program: dict[str, Any] = {
        "user_id": ada, "document_id": notes, "topic": "users", "partition": 0, "offset": 7, "version": 1,
        "test_database_url": empty_database,
    }  # fmt: skip
    for heading in RUN:
        code = compile(example(heading), heading, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        assert code.co_code, heading
        running = eval(code, program)
        if inspect.iscoroutine(running):
            await running
        if heading == "Readers":
            assert program["titles"] == ["Notes"] * 30
            assert program["document"].owner.id == program["same"].id == ada
            assert (list(program["by_id"]), program["idle"].rows) == ([ada], [])
            assert len(program["notes"].rows) == 30
        if heading == "Pages":
            assert (len(program["page"].rows), program["page"].after) == (10, None)
        if heading == "FastAPI":
            status, page = await got(program["app"], "/documents?title=No&limit=3")
            assert (status, len(page["rows"])) == (200, 3)
            assert (await got(program["app"], f"/users/{ada}"))[1]["id"] == str(ada)
            assert (await got(program["app"], "/documents?limit=0"))[0] == 422
    assert list(program["outcomes"].values()) == ["applied"]
    assert program["changed"].id == ada
    assert [document.title for document in program["found"].documents] == ["Notes"]
    for engine in (program["engine"], program["test_engine"]):
        await engine.dispose()
