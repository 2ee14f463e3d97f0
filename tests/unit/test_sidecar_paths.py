"""Which paths the sidecar answers to whom: below the prefix of a proxy, to HEAD, and in few bytes."""

import gzip
import http.client
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urljoin, urlsplit

import pytest

from tests.support.page_states import SETTINGS
from tests.support.served_page import sidecar

PATHS = ("/", "/health/live", "/health/ready", "/metrics", "/status", "/page/page.js", "/page/state.json")
PREFIXES = ("/health", "/page", "/metrics", "/status", "/team/projector")


@contextmanager
def asked(
    url: str, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        yield connection.getresponse()
    finally:
        connection.close()


@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_path_is_answered_below_the_prefix_and_without_it_whatever_it_is(prefix: str) -> None:
    with sidecar("nothing_yet", SETTINGS.model_copy(update={"http_path_prefix": prefix})) as url:
        for path in PATHS:
            for way in (path, prefix + path):
                with asked(url, way) as answer:
                    assert answer.status == (503 if path == "/health/ready" else 200), way
        with asked(url, "/page/none.js") as answer:
            assert answer.status == 404


def test_the_prefix_without_a_slash_leads_to_the_page() -> None:
    with sidecar("nothing_yet", SETTINGS.model_copy(update={"http_path_prefix": "/team/projector"})) as url:
        with asked(url, "/team/projector") as answer:
            assert answer.status == 307
            assert urljoin(f"{url}/team/projector", answer.headers["location"]) == f"{url}/team/projector/"
        with asked(url, "/team/projectors") as answer:
            assert answer.status == 404


def test_head_is_answered_as_get_without_a_body() -> None:
    with sidecar("nothing_yet") as url:
        for path in PATHS:
            with asked(url, path) as got, asked(url, path, "HEAD") as answer:
                assert (answer.status, answer.headers["content-type"]) == (got.status, got.headers["content-type"])
                assert answer.read() == b""
        with asked(url, "/", "POST") as answer:
            assert answer.status == 405


def test_what_is_long_is_sent_in_few_bytes_to_who_reads_gzip() -> None:
    with sidecar("idle") as url:
        with asked(url, "/page/state.json", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            body = answer.read()
        assert len(body) * 3 < len(gzip.decompress(body))
        with asked(url, "/page/state.json") as answer:
            assert answer.headers["content-encoding"] is None


def test_the_page_has_the_verdict_before_a_script_runs_and_says_of_when() -> None:
    with sidecar("paused") as url, asked(url, "/") as answer:
        text = answer.read().decode()
        assert answer.headers["cache-control"] == "no-store"
    assert '<strong id="word">Stopped:</strong> <span id="says">intake of all topics paused' in text
    assert re.search(r'id="when">as of \d\d:\d\d:\d\d UTC<', text)
