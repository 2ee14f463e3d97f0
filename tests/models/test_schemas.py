"""What people fill in is checked before it goes anywhere."""

import pytest

from neon_projector.models import DocumentUpdate, UserCreate, UserRead, UserUpdate
from tests.models.rows import a_user


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
