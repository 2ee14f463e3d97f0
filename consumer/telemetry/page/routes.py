"""The paths of the page: `/`, its files, and the JSON that it asks for each second."""

import logging
import time
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from math import isnan
from typing import NamedTuple

import orjson
from fastapi import APIRouter, Response

from neon_projector.consumer.settings import Settings
from neon_projector.consumer.telemetry.metrics import Metrics
from neon_projector.consumer.telemetry.page.handbook import DOCUMENTS, document
from neon_projector.consumer.telemetry.page.sampler import Sampler
from neon_projector.consumer.telemetry.page.view import Json, View
from neon_projector.consumer.telemetry.state import ServiceState

log = logging.getLogger(__name__)

TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

CHANGES = {"Cache-Control": "no-cache"}
"""Of what is another one after an upgrade."""
LIVES = {"Cache-Control": "no-store"}
"""Of what is true at one moment."""

ASKING = '<strong id="word">Asking:</strong> <span id="says">this instance how it stands</span>'
VERDICT = '<strong id="word">{word}:</strong> <span id="says">{says}</span>'
WHEN = '<p class="when" id="when">{}</p>'


class Made(NamedTuple):
    """What the page shows in one second, and the same as JSON."""

    view: Json
    body: bytes


class Page:
    """`sample` is to be called once a second; `router` has the paths."""

    def __init__(self, state: ServiceState, metrics: Metrics, settings: Settings) -> None:
        self.sampler = Sampler(state, metrics)
        self._view = View(state, self.sampler, settings)
        self._started_at = state.started_at
        self._made: Made | None = None
        self.router = APIRouter()
        found = _files()
        self._index = found.pop("/")[0].decode()
        for path, (body, kind) in found.items():
            self._serve(path, body, kind)
        self.router.add_api_route("/", self.index, methods=["GET"])
        for name in DOCUMENTS:
            self._read(name)
        self.router.add_api_route("/page/state.json", self.state, methods=["GET"])

    def sample(self) -> None:
        """Take a sample for the curves. What was made of the second before is old, whether that succeeds or not."""
        self._made = None
        try:
            self.sampler.take(time.time())
        except Exception:
            log.exception("the page's curves lack a sample")  # probes go on being answered

    async def index(self) -> Response:
        """The page. The verdict is in it already, and when that was: it is there before a script runs, or without."""
        view = self._shown().view
        said = VERDICT.format(word=escape(view["verdict"]["word"]), says=escape(view["verdict"]["says"]))
        at = WHEN.format(time.strftime("as of %H:%M:%S UTC", time.gmtime(view["now"])))
        text = self._index.replace(ASKING, said).replace(WHEN.format("asking"), at)
        return _answer(text.encode(), TYPES[".html"], LIVES)

    async def state(self, after: int = 0, of: float | None = None) -> Response:
        """What the page shows, and the samples from number `after` on; all of them to who has counted those `of`
        another process (its `started_at`)."""
        ring = self.sampler.ring
        after = after if of in (None, self._started_at) else 0
        curves = {name: [_short(value) for value in column] for name, column in ring.since(after).items()}
        told = {"next": ring.taken, "curves": curves, "view": orjson.Fragment(self._shown().body)}
        return _answer(orjson.dumps(told), "application/json", LIVES)

    def _shown(self) -> Made:
        """However many ask, it is made once a second."""
        if self._made is None:
            view = self._view.of(time.time())
            self._made = Made(view, orjson.dumps(view))
        return self._made

    def _serve(self, path: str, body: bytes, kind: str) -> None:
        async def answer() -> Response:
            return _answer(body, kind, CHANGES)

        self.router.add_api_route(path, answer, methods=["GET"])

    def _read(self, name: str) -> None:
        def answer() -> Response:  # not async: it takes a moment, in a thread of its own
            return _answer(document(name), TYPES[".html"], CHANGES)

        self.router.add_api_route(f"/page/{name}.html", answer, methods=["GET"])


def _files() -> dict[str, tuple[bytes, str]]:
    """By path, the page's files and their types."""
    found = {}
    for file in files(__package__).joinpath("static").iterdir():
        kind = TYPES["." + file.name.rpartition(".")[2]]
        found["/" if file.name == "index.html" else f"/page/{file.name}"] = file.read_bytes(), kind
    return found


def _answer(body: bytes, kind: str, headers: Mapping[str, str]) -> Response:
    return Response(body, media_type=kind, headers={**HEADERS, **headers})


def _short(value: float) -> float | None:
    """With as many digits as can be seen in a curve."""
    if isnan(value):
        return None
    return round(value, 1) if abs(value) >= 100 else round(value, 4)
