"""The documents that findings link to, as pages: so that a person in trouble needs no other host to read them."""

import re
from functools import cache
from html import escape
from importlib.resources import files
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

DOCUMENTS = ("runbook", "operations", "errors", "neon")
"""Their files are links to those in docs/; what is built has copies."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Neon Projector</title><link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="page.css"></head>
<body class="handbook"><header><p class="name"><img src="icon.svg" alt="" width="20" height="20">
<a href="../">Neon Projector</a></p></header><main>{body}</main></body></html>
"""

_READABLE = {"<pre>": '<pre tabindex="0">', "<th></th>": "<td></td>"}
"""A keyboard can scroll a wide command; a column without a name has no heading that is read aloud."""


@cache
def document(name: str) -> bytes:
    """One of DOCUMENTS as HTML. Headings have the anchors that GitHub gives them; links to documents that are not
    here are plain text."""
    text = files(__package__).joinpath("documents", f"{name}.md").read_text(encoding="utf-8")
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    _anchors(tokens)
    for token in tokens:
        token.attrs.pop("style", None)  # of an aligned column: the page's policy allows none
        token.children = _links(token.children or [])
    body = markdown.renderer.render(tokens, markdown.options, {})
    for plain, readable in _READABLE.items():
        body = body.replace(plain, readable)
    return _PAGE.format(title=escape(_plain(tokens[1])), body=body).encode()


def _anchors(tokens: list[Token]) -> None:
    seen: dict[str, int] = {}
    for heading, inline in pairwise(tokens):
        if heading.type == "heading_open":
            anchor = re.sub(r"[^\w\- ]", "", _plain(inline).lower()).replace(" ", "-")
            number = seen[anchor] = seen.get(anchor, -1) + 1
            heading.attrs["id"] = f"{anchor}-{number}" if number else anchor


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [])


def _links(children: list[Token]) -> list[Token]:
    kept, inside = [], True
    for token in children:
        if token.type == "link_open":
            inside = (target := _here(str(token.attrs["href"]))) is not None
            token.attrs["href"] = target or ""
        if inside or token.type not in ("link_open", "link_close"):
            kept.append(token)
    return kept


def _here(target: str) -> str | None:
    """Where a link leads on this host; None where it does not."""
    path, sharp, anchor = target.partition("#")
    name = path.removesuffix(".md")
    if path and name not in DOCUMENTS:
        return None
    return f"{name}.html{sharp}{anchor}" if path else target
