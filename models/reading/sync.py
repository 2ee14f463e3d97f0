"""The readers for synchronous sessions. Names, arguments and answers are those of `neon_projector.models.reading`."""

from neon_projector.models.reading import changes, documents, many, positions, users, versions
from neon_projector.models.reading.steps import synchronous
from neon_projector.models.reading.waits import waiting_sync

get_user = synchronous(users.get_user)
get_user_by_email = synchronous(users.get_user_by_email)
list_users = synchronous(users.list_users)
get_document = synchronous(documents.get_document)
list_documents = synchronous(documents.list_documents)
get_many = synchronous(many.get_many)
wait_until_applied = waiting_sync(positions.wait_until_applied)
wait_until_all_applied = waiting_sync(positions.wait_until_all_applied)
wait_for_version = synchronous(versions.wait_for_version)
start_cursor = synchronous(changes.start_cursor)
changed_since = synchronous(changes.changed_since)
