"""Readers for applications, on async sessions of SQLAlchemy and SQLModel; `reading.sync` has them for synchronous ones.

None is N+1, none loads a row behind the caller's back, and each list is a page.
"""

from neon_projector.models.reading import changes, documents, many, positions, users, versions
from neon_projector.models.reading.changes import Changed, Changes, ChangesOff, CursorLost
from neon_projector.models.reading.checks import MAX_PAGE, Text
from neon_projector.models.reading.cursor import DocumentsCursor, UsersCursor
from neon_projector.models.reading.page import Limit, Page
from neon_projector.models.reading.positions import GROUP, Outcome, RecordAt
from neon_projector.models.reading.responses import DocumentSummary, PageRead, UserReadWithDocuments
from neon_projector.models.reading.steps import asynchronous
from neon_projector.models.reading.waits import waiting

get_user = asynchronous(users.get_user)
get_user_by_email = asynchronous(users.get_user_by_email)
list_users = asynchronous(users.list_users)
get_document = asynchronous(documents.get_document)
list_documents = asynchronous(documents.list_documents)
get_many = asynchronous(many.get_many)
wait_until_applied = waiting(positions.wait_until_applied)
wait_until_all_applied = waiting(positions.wait_until_all_applied)
wait_for_version = asynchronous(versions.wait_for_version)
start_cursor = asynchronous(changes.start_cursor)
changed_since = asynchronous(changes.changed_since)

__all__ = [
    "GROUP",
    "MAX_PAGE",
    "Changed",
    "Changes",
    "ChangesOff",
    "CursorLost",
    "DocumentSummary",
    "DocumentsCursor",
    "Limit",
    "Outcome",
    "Page",
    "PageRead",
    "RecordAt",
    "Text",
    "UserReadWithDocuments",
    "UsersCursor",
    "changed_since",
    "get_document",
    "get_many",
    "get_user",
    "get_user_by_email",
    "list_documents",
    "list_users",
    "start_cursor",
    "wait_for_version",
    "wait_until_all_applied",
    "wait_until_applied",
]
