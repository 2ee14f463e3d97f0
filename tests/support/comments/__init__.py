"""A third entity: comments under a document, by a user. It is the example of docs/adding-an-entity.md.

Its table is taken out of the product's metadata: the migrations of the product know no comments.
"""

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from neon_projector.models import metadata
from neon_projector.projections.contract.projection import Registry
from neon_projector.projections.documents import DOCUMENTS
from neon_projector.projections.users import USERS
from tests.support.comments.projection import COMMENTS

POSTGRES: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own has no types
metadata.remove(COMMENTS.table)

WITH_COMMENTS = Registry(USERS, DOCUMENTS, COMMENTS)

_DDL: list[ExecutableDDLElement] = [CreateTable(COMMENTS.table), *map(CreateIndex, COMMENTS.table.indexes)]
TABLE = ";".join(str(one.compile(dialect=POSTGRES)) for one in _DDL)
"""The SQL that creates it."""
