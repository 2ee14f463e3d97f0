"""A new column with a meaning: migrate, deploy, rebuild; the rows get its values from events that came long before."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NotRequired
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, String, Text
from sqlmodel import Field, SQLModel

from neon_projector.consumer.admin.rebuild.asked import Asked
from neon_projector.consumer.admin.rebuild.rebuild import rebuild
from neon_projector.consumer.admin.rebuild.todo import Choice
from neon_projector.consumer.admin.verify.source import Tell
from neon_projector.consumer.admin.verify.wanted import Wanted
from neon_projector.consumer.environment import load_settings
from neon_projector.models.engine import create_service_engine
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.documents import DOCUMENTS, DocumentCreated, DocumentUpdated
from neon_projector.projections.users import USERS
from tests.service.test_meaning import ADA, NOTES, play
from tests.service.test_verify_waiting import BOB, DRAFT, PLANS
from tests.support.factories import a_document_event, a_user_event
from tests.support.world import World


class InLanguage(SQLModel, table=True):
    """A document as the next version of the service would show it."""

    __tablename__ = "documents"
    metadata = MetaData()  # not the product's: its migrations know no such columns

    id: UUID = Field(primary_key=True)
    title: str = Field(sa_type=String(255))
    content: str | None = Field(default=None, sa_type=Text)
    user_id: UUID
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
    version: int = Field(sa_type=BigInteger)
    language: str | None = Field(default=None, sa_type=String(20))
    summary: str | None = Field(default=None, sa_type=Text)


class CreatedInLanguage(DocumentCreated):
    language: NotRequired[str | None]
    summary: NotRequired[str | None]


class UpdatedInLanguage(DocumentUpdated):
    language: NotRequired[str | None]
    summary: NotRequired[str | None]


CREATED, UPDATED, *REST = DOCUMENTS.event_types
NEW = {"language", "summary"}
NEXT = Registry(
    USERS,
    replace(
        DOCUMENTS,
        model=InLanguage,
        event_types=(
            replace(CREATED, schema=CreatedInLanguage, defaults={"content": None, "language": None, "summary": None}),
            replace(UPDATED, schema=UpdatedInLanguage, changes=UPDATED.changes | NEW),
            *REST,
        ),
    ),
)


async def test_a_new_column_gets_its_values_by_migrate_deploy_and_rebuild(world: World, tmp_path: Path) -> None:
    await play(
        world, False,
        a_user_event(id=ADA),
        a_document_event(id=NOTES, owner=ADA, language="en", summary="Of notes"),
        a_document_event("updated", NOTES, 2, title="Two", language="fr"),
        a_document_event(id=PLANS, owner=ADA),
        a_document_event(id=DRAFT, owner=BOB, language="de", summary="A draft"),  # waits for him
    )  # fmt: skip
    before = await world.rows("SELECT id, version, title, xmin::text FROM documents ORDER BY id")
    await world.rows("ALTER TABLE documents ADD language varchar(20), ADD summary text")
    settings = load_settings(world.settings)
    engine = create_service_engine(settings)
    asked = Asked(Wanted(), Choice(), tmp_path)
    done = await rebuild(engine, settings, NEXT, asked, Tell())
    assert (done.verdict, done.healed) == ("equal", 2), "plans have neither"
    again = await rebuild(engine, settings, NEXT, asked, Tell())
    assert (again.verdict, again.differing) == ("equal", 0)
    await engine.dispose()
    after = await world.rows("SELECT id, version, title, xmin::text, language, summary FROM documents ORDER BY id")
    assert [tuple(row.values())[:3] for row in after] == [tuple(row.values())[:3] for row in before]
    assert {row["id"]: (row["language"], row["summary"]) for row in after} == {
        NOTES: ("fr", "Of notes"), PLANS: (None, None),
    }  # fmt: skip
    assert after[1]["xmin"] == before[1]["xmin"], "what was right is not touched"
    state = await world.value("SELECT state FROM projector.absent_states")
    assert '"language": "de"' in state
    assert '"summary": "A draft"' in state
