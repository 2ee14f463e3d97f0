"""A certificate authority for one test run, and a server's certificate by it, made with the `openssl` program."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Certificates:
    """Files in PEM: the authority's certificate, and the server's with its key."""

    authority: Path
    server: Path
    key: Path


def make_certificates(home: Path, names: Sequence[str]) -> Certificates:
    """A server's certificate for `names` (`DNS:…`, `IP:…`); RuntimeError where there is no openssl."""
    if shutil.which("openssl") is None:
        raise RuntimeError("no openssl: the tests make certificates with it (apt-get install openssl)")
    made = Certificates(home / "ca.pem", home / "server.pem", home / "server.key")
    extensions = home / "extensions"
    extensions.write_text(f"subjectAltName={','.join(names)}\n")
    request, ca_key = home / "server.csr", home / "ca.key"
    _openssl("req", "-x509", *NEW_KEY, "-keyout", ca_key, "-out", made.authority, "-subj", "/CN=tests", "-days", "2")
    _openssl("req", *NEW_KEY, "-keyout", made.key, "-out", request, "-subj", "/CN=server")
    signing = ("-CA", made.authority, "-CAkey", ca_key, "-CAcreateserial", "-days", "2", "-extfile", extensions)
    _openssl("x509", "-req", "-in", request, "-out", made.server, *signing)
    return made


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"openssl failed: {done.stderr}")
