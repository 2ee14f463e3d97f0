"""`KAFKA_BOOTSTRAP_SERVERS`: which forms are read, and in which words the others are refused.

The client library waits for an address that it can't read as for a broker that is away: all is checked here.
"""

import ipaddress
import re

_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?")
_ADDRESS = re.compile(r"(\[(?P<six>[^\[\]]*)\]|(?P<host>[^:\[\]]*)):(?P<port>[0-9]{1,5})")


def broker_list(text: str) -> str:
    """`text` as `host:port`s with commas and nothing else; ValueError in words that don't quote it.

    Blanks around an item and empty items are left out, as Kafka's own clients do.
    """
    items = [item for item in map(str.strip, text.split(",")) if item]
    if not items:
        raise ValueError("expected host:port, several with commas")
    for number, item in enumerate(items, 1):
        if problem := _problem(item):
            raise ValueError(f"expected host:port, several with commas; number {number} {problem}")
    return ",".join(items)


def _problem(item: str) -> str | None:
    if "://" in item:
        return "has a protocol before ://, which KAFKA_SECURITY_PROTOCOL names"
    if "@" in item:
        return "has a user before @, which KAFKA_SASL_USERNAME names"
    if re.search(r"[;|\s]", item):
        return "has a blank or another separator than a comma in it"
    if (address := _ADDRESS.fullmatch(item)) is None:
        many = item.count(":") > 1
        return "is no host:port (an IPv6 address stands in brackets)" if many else "has no port number"
    if not 0 < int(address["port"]) < 2**16:
        return "has a port that is not between 1 and 65535"
    six = address["six"]
    return None if (_is_host(address["host"]) if six is None else _is_ipv6(six)) else "has no host name or address"


def _is_host(text: str) -> bool:
    try:
        return _HOST.fullmatch(text) is not None and bool(text.encode("idna"))
    except UnicodeError:  # a part of it is too long, or has letters that no name may have
        return False


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.IPv6Address(text) is not None
    except ValueError:
        return False
