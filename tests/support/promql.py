"""Which metrics and labels a PromQL expression names. Whether it is one at all, promtool says."""

import re
from dataclasses import dataclass

STRING = r'"[^"]*"'
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
MATCHERS = re.compile(rf"\{{((?:[^}}\"]|{STRING})*)\}}")
MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({STRING})")
METRIC = re.compile(rf"\b([a-zA-Z_:][\w:]*)\b(?!\s*\()\s*({MATCHERS.pattern})?")
OPERATORS = {"and", "or", "unless", "bool", "offset"}


@dataclass(frozen=True)
class Selector:
    """A metric, and each matcher as label, operator, value: `up{job="projector"}`."""

    metric: str
    matchers: list[tuple[str, str, str]]


def grouping_labels(expression: str) -> set[str]:
    """The labels of `by (…)`, `on (…)` and the like."""
    return {label for labels in GROUPING.findall(expression) for label in re.findall(r"\w+", labels)}


def selectors(expression: str) -> list[Selector]:
    """All metrics that are named."""
    plain = re.sub(r"\[[^\]]*\]", " ", GROUPING.sub("(", expression))
    found = ((one[1], one[2] or "") for one in METRIC.finditer(plain) if one[1] not in OPERATORS)
    return [Selector(name, [(a, b, c.strip('"')) for a, b, c in MATCHER.findall(braces)]) for name, braces in found]
