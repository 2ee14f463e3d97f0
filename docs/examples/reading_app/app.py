"""Shows users and documents, and keeps which documents a user has marked."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Request
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models import Star, User
from neon_projector.models import Document, DocumentRead, UserRead
from neon_projector.models.engine import create_engine
from neon_projector.models.reading import (
    DocumentsCursor,
    DocumentSummary,
    Limit,
    PageRead,
    UserReadWithDocuments,
    UsersCursor,
    get_document,
    get_user,
    list_documents,
    list_users,
)
from neon_projector.models.session import session_factory
from neon_projector.models.settings import ReaderSettings


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    engine = create_engine(ReaderSettings())
    app.state.reading = session_factory(engine)
    app.state.writing = session_factory(engine, writable=True)  # for the application's own tables
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def reading(request: Request) -> AsyncGenerator[AsyncSession]:
    async with request.app.state.reading() as session:
        yield session


async def writing(request: Request) -> AsyncGenerator[AsyncSession]:
    async with request.app.state.writing() as session, session.begin():
        yield session


Reading = Annotated[AsyncSession, Depends(reading)]
Writing = Annotated[AsyncSession, Depends(writing)]


@app.get("/users", response_model=PageRead[UserRead])
async def users(session: Reading, limit: Limit = 50, after: UsersCursor | None = None) -> object:
    return await list_users(session, limit=limit, after=after)


@app.get("/users/{user_id}", response_model=UserReadWithDocuments)
async def user(user_id: UUID, session: Reading) -> object:
    found = await get_user(session, user_id, with_documents=True)
    if found is None:
        raise HTTPException(404)
    return found


@app.get("/documents", response_model=PageRead[DocumentSummary])
async def documents(
    session: Reading, user_id: UUID | None = None, limit: Limit = 50, after: DocumentsCursor | None = None
) -> object:
    return await list_documents(session, user_id=user_id, limit=limit, after=after)


@app.get("/documents/{document_id}", response_model=DocumentRead)
async def document(document_id: UUID, session: Reading) -> object:
    found = await get_document(session, document_id)
    if found is None:
        raise HTTPException(404)
    return found


@app.put("/users/{user_id}/stars/{document_id}", status_code=204)
async def mark(user_id: UUID, document_id: UUID, session: Writing) -> None:
    if await get_user(session, user_id) is None or await get_document(session, document_id) is None:
        raise HTTPException(404)
    await session.merge(User(id=user_id))
    await session.flush()
    await session.merge(Star(user_id=user_id, document_id=document_id))


@app.get("/users/{user_id}/stars", response_model=list[DocumentRead])
async def stars(user_id: UUID, session: Reading) -> object:
    """The marked documents that exist now."""
    marked = select(Document).join(Star, col(Star.document_id) == col(Document.id))
    return (await session.exec(marked.where(Star.user_id == user_id))).all()
