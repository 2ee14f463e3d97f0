"""Readers in FastAPI: what a request may say, what it is answered with, and what is a 422."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from fastapi import Depends, FastAPI, HTTPException
from pydantic import AwareDatetime
from sqlmodel.ext.asyncio.session import AsyncSession

from neon_projector.models import UserRead
from neon_projector.models.reading import (
    DocumentsCursor,
    DocumentSummary,
    Limit,
    Page,
    PageRead,
    Text,
    UserReadWithDocuments,
    UsersCursor,
    get_user,
    list_documents,
    list_users,
)
from tests.models.asgi import got
from tests.models.rows import Sessions, a_document, a_user, stored


@pytest.fixture
def app(sessions: Sessions) -> FastAPI:
    app = FastAPI()

    async def of_request() -> Any:
        async with sessions() as session:
            yield session

    OfRequest = Annotated[AsyncSession, Depends(of_request)]  # noqa: N806  a type

    @app.get("/users", response_model=PageRead[UserRead])
    async def users(session: OfRequest, limit: Limit = 50, after: UsersCursor | None = None) -> Page[Any]:
        return await list_users(session, limit=limit, after=after)

    @app.get("/documents", response_model=PageRead[DocumentSummary])
    async def documents(
        session: OfRequest,
        title: Text | None = None,
        since: AwareDatetime | None = None,
        after: DocumentsCursor | None = None,
    ) -> Page[Any]:
        return await list_documents(session, title_prefix=title, created_since=since, after=after, with_total=True)

    @app.get("/users/{user_id}", response_model=UserReadWithDocuments)
    async def user(user_id: UUID, session: OfRequest) -> Any:
        found = await get_user(session, user_id, with_documents=True)
        if found is None:
            raise HTTPException(404)
        return found

    return app


async def test_pages_and_rows_are_answers(app: FastAPI, writers: Sessions) -> None:
    ids = await stored(writers, *(a_user(i) for i in range(3)))
    (notes,) = await stored(writers, a_document(ids[0], content="long"))
    status, first = await got(app, "/users?limit=2")
    assert (status, len(first["rows"]), first["total"]) == (200, 2, None)
    _, second = await got(app, f"/users?limit=2&after={first['after']}")
    assert second["after"] is None
    assert {row["id"] for row in first["rows"] + second["rows"]} == set(map(str, ids))
    status, page = await got(app, "/documents?title=No&since=2026-01-01T00:00:00Z")
    assert (status, page["total"], [row["id"] for row in page["rows"]]) == (200, 1, [str(notes)])
    assert "content" not in page["rows"][0]
    status, user = await got(app, f"/users/{ids[0]}")
    assert (status, user["version"], [one["title"] for one in user["documents"]]) == (200, 1, ["Notes"])
    assert (await got(app, f"/users/{uuid4()}"))[0] == 404


REFUSED = (
    "/users?limit=0",
    "/users?limit=1001",
    "/users?limit=many",
    "/users?after=",
    "/users?after=AWQAAwPa_EDwAFlPj3eJCkMAln9VrSYgZdNf9GMS",
    "/users?after=" + quote("Zoë"),
    "/documents?title=%00",
    "/documents?since=2026-01-01T00:00:00",
)


async def test_what_a_reader_would_refuse_is_a_422(app: FastAPI) -> None:
    assert {path: (await got(app, path))[0] for path in REFUSED} == dict.fromkeys(REFUSED, 422)
