"""An application whose classes and tables have our names. Run as a program, in a process of its own: `namesakes.py URL
theirs|ours` imports first what is named, then runs queries on both."""

import asyncio
import logging
import os
import sys
import warnings
from importlib import import_module
from typing import Any

from sqlmodel import Field, Relationship, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

if sys.argv[2] == "ours":
    import_module("neon_projector.models.reading")
    assert SQLModel.metadata.tables == {}

HEARD = (list(warnings.filters), list(logging.root.handlers), logging.root.level)


class User(SQLModel, table=True):
    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    documents: list["Document"] = Relationship(back_populates="owner")


class Document(SQLModel, table=True):
    __tablename__ = "documents"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id")
    owner: "User" = Relationship(back_populates="documents")


class Offset(SQLModel, table=True):
    __tablename__ = "offsets"
    __table_args__ = {"schema": "projector"}

    id: int | None = Field(default=None, primary_key=True)


THEIRS = {"users", "documents", "projector.offsets"}


async def main(url: str) -> None:
    import neon_projector.models
    from neon_projector.models.engine import create_engine
    from neon_projector.models.reading import get_user
    from neon_projector.models.session import session_factory, transaction
    from neon_projector.models.settings import DatabaseSettings
    from tests.models.rows import a_document, a_user

    assert (list(warnings.filters), list(logging.root.handlers), logging.root.level) == HEARD
    assert set(SQLModel.metadata.tables) == THEIRS
    assert "pk" not in SQLModel.metadata.naming_convention
    assert set(neon_projector.models.metadata.tables) == {"users", "documents"}
    from neon_projector.models import control

    assert control.metadata.tables["projector.offsets"] is not SQLModel.metadata.tables["projector.offsets"]
    engine = create_engine(DatabaseSettings())
    theirs = engine.execution_options(schema_translate_map={None: "theirs", "projector": "theirs"})
    async with theirs.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    async with AsyncSession(theirs) as session:
        session.add_all([User(id=1, name="Grace"), Document(user_id=1)])
        await session.commit()
        found = (await session.exec(select(User).join(Document))).one()
        assert found.name == "Grace"
    sessions = session_factory(engine, writable=True)
    ada: Any = a_user()
    async with transaction(sessions) as session:
        session.add(ada)
        await session.flush()
        session.add(a_document(ada.id))
    async with sessions() as session:
        got = await get_user(session, ada.id, with_documents=True)
        assert got is not None
        assert [document.title for document in got.documents] == ["Notes"]
    await engine.dispose()


if __name__ == "__main__":
    os.environ["NEON_DATABASE_URL"] = sys.argv[1]
    asyncio.run(main(sys.argv[1]))
