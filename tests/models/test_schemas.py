"""What people fill in is checked before it goes anywhere."""

import pytest

from neon_projector.models import DocumentRead, DocumentUpdate, UserCreate, UserRead, UserUpdate
from neon_projector.models.reading import PageRead, UserReadWithDocuments
from tests.models.rows import a_document, a_user


def test_schemas_check_what_people_fill_in() -> None:
    assert UserCreate(email="ada@EXAMPLE.com", name="Ada").email == "ada@example.com"
    for wrong in ({"email": "ada", "name": "Ada"}, {"email": "ada@example.com", "name": "x" * 101}):
        with pytest.raises(ValueError, match=r"email|name"):
            UserCreate.model_validate(wrong)
    assert UserCreate(email="ada@Staging.TEST", name="Ada").email == "ada@staging.test", "as the tables may have it"
    assert UserUpdate(name="Bob").model_dump(exclude_unset=True) == {"name": "Bob"}
    assert DocumentUpdate(content=None).model_dump(exclude_unset=True) == {"content": None}
    for name in ("email", "name", "is_active"):
        with pytest.raises(ValueError, match="may be left out, but not be null"):
            UserUpdate.model_validate({name: None})
    with pytest.raises(ValueError, match="may be left out, but not be null"):
        DocumentUpdate.model_validate({"title": None})
    ada = a_user()
    assert UserRead.model_validate(ada, from_attributes=True).id == ada.id


@pytest.mark.parametrize("email", ["ada", "ada@xn--mnchen-3ya.de", "ada@EXAMPLE.com"])
def test_a_row_is_shown_as_it_is_whatever_is_accepted_today(email: str) -> None:
    """The rules for what people fill in change with each version of a library. A row that is there would end every page
    that it is on as a server's error."""
    ada = a_user()
    ada.email, ada.name = email, ""
    ada.documents = [a_document(ada.id, title="")]
    shown = PageRead[UserReadWithDocuments].model_validate({"rows": [ada], "after": None, "total": None}).rows[0]
    assert (shown.email, shown.name, shown.documents[0].title) == (email, "", "")
    assert UserRead.model_validate(ada, from_attributes=True).email == email
    assert DocumentRead.model_validate(ada.documents[0], from_attributes=True).title == ""
