"""The settings of the data layer, from the environment."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from neon_projector.models.url import DatabaseAddress, parse_database_url


def _checked(secret: SecretStr) -> SecretStr:
    parse_database_url(secret.get_secret_value())
    return secret


DatabaseUrl = Annotated[SecretStr, AfterValidator(_checked)]


class DatabaseSettings(BaseSettings):
    """How to reach Postgres. The pool's numbers are upper bounds; the service itself uses few connections."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    neon_database_url: DatabaseUrl
    """The address applications and the service use; a pooled one is fine."""
    neon_direct_database_url: DatabaseUrl | None = None
    """The address for migrations, without a pooler. Default: the one above without `-pooler`."""
    db_pool_size: int = Field(default=20, ge=1, le=1000)
    """Connections kept open once opened."""
    db_max_overflow: int = Field(default=30, ge=0, le=1000)
    """Connections beyond that, closed after use."""
    db_pool_pre_ping: bool = True
    """Check a pooled connection before use."""
    db_pool_recycle: int = Field(default=300, ge=-1)
    """Seconds after which a connection is replaced: Neon suspends a compute after 5 minutes."""
    db_pool_timeout: float = Field(default=30, gt=0)
    """Seconds to wait for a connection from a full pool."""
    db_statement_timeout: float = Field(default=300, ge=1, le=86_400)
    """Seconds a statement may take. Then the server cancels it; 5 seconds later the connection is closed."""

    if TYPE_CHECKING:  # else checkers ask for `neon_database_url`, which comes from the environment

        def __init__(self, **values: Any) -> None: ...

    @property
    def address(self) -> DatabaseAddress:
        return parse_database_url(self.neon_database_url.get_secret_value())

    @property
    def direct_address(self) -> DatabaseAddress:
        if self.neon_direct_database_url is not None:
            return parse_database_url(self.neon_direct_database_url.get_secret_value())
        address, url = self.address.url, self.neon_database_url.get_secret_value()
        endpoint = str(address.host or address.query.get("host", "")).partition(".")[0]
        for before in ("//", "@", "host=", "endpoint=", "endpoint%3D"):
            url = url.replace(before + endpoint, before + endpoint.removesuffix("-pooler"))
        if endpoint.endswith("-pooler"):
            url = url.replace("pgbouncer=true", "pgbouncer=false")
        return parse_database_url(url)


class ReaderSettings(DatabaseSettings):
    """How an application that reads reaches Postgres, from the same variables, with an application's defaults."""

    db_pool_size: int = Field(default=5, ge=1, le=1000)
    """Connections kept open once opened."""
    db_max_overflow: int = Field(default=10, ge=0, le=1000)
    """Connections beyond that, closed after use."""
    db_statement_timeout: float = Field(default=30, ge=1, le=86_400)
    """Seconds a statement may take. Then the server cancels it; 5 seconds later the connection is closed."""
    db_application_name: str = Field(default="neon-projector-reader", min_length=1, max_length=63)
    """What `pg_stat_activity` shows, unless the URL has an `application_name`."""

    if TYPE_CHECKING:  # as above; checkers make one for each class

        def __init__(self, **values: Any) -> None: ...
