"""A section of a Markdown document that is measured by itself: it is put in, and kept when the rest is measured."""

import re


def section_of(document: str, heading: str) -> str:
    """The section with its heading (`## …`) and all up to the next of its kind; empty where there is none."""
    found = re.search(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", document, re.DOTALL | re.MULTILINE)
    return found[0].strip("\n") + "\n" if found else ""


def with_section(document: str, section: str) -> str:
    """`section`, which begins with its heading, in the place of the one that is there, else at the end."""
    before = section_of(document, section.partition("\n")[0]) if section else ""
    if before:
        return document.replace(before, section.strip("\n") + "\n")
    return document.rstrip("\n") + "\n" + ("\n" + section.strip("\n") + "\n" if section else "")
