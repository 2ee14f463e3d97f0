"""Translates libpq's parameters for encryption to asyncpg's (PostgreSQL manual, section 32.19)."""

import ssl
from pathlib import Path
from typing import Any

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SYSTEM = "system"
USERS_ROOTS = Path("~/.postgresql/root.crt")


def tls(mode: str, root_certificate: str | None, negotiation: str) -> dict[str, Any]:
    """asyncpg's arguments for `sslmode`, `sslrootcert` and `sslnegotiation`. ValueError for an unknown value.

    As in libpq, `require` means `verify-ca` if there are trusted certificates, given or in libpq's usual place.
    """
    if mode not in SSL_MODES:
        raise ValueError(f"has an unknown sslmode: expected one of {', '.join(SSL_MODES)}")
    if negotiation not in ("postgres", "direct"):
        raise ValueError("has an unknown sslnegotiation: expected postgres or direct")
    if mode == "require" and root_certificate is None and USERS_ROOTS.expanduser().exists():
        root_certificate = str(USERS_ROOTS.expanduser())
    if mode == "require" and root_certificate is not None:
        mode = "verify-ca"
    if negotiation == "direct" and mode in ("disable", "allow", "prefer"):
        raise ValueError("wants sslnegotiation=direct: that needs sslmode=require or stronger")
    context = _ssl(mode, None if root_certificate == SYSTEM else root_certificate)
    if negotiation == "postgres":
        return {"ssl": context}
    if isinstance(context, ssl.SSLContext):
        context.set_alpn_protocols(["postgresql"])  # the server requires it (section 54.2.11)
    return {"ssl": context, "direct_tls": True}


def _ssl(mode: str, roots: str | None) -> ssl.SSLContext | str | bool:
    if mode == "disable":
        return False
    if mode in ("allow", "prefer", "require"):
        return mode
    try:
        context = ssl.create_default_context(cafile=roots)
    except OSError:
        raise ValueError("has an sslrootcert that can't be read") from None
    context.check_hostname = mode == "verify-full"
    return context
