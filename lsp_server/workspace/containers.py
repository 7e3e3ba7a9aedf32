"""Whether a line says that a name is a container, which has members of its own. Pure functions."""

from __future__ import annotations

import re

CONTAINERS = frozenset(
    """
    List ArrayList LinkedList Set HashSet TreeSet Map HashMap TreeMap Collection Iterable Stream
    Queue Deque IEnumerable IList ICollection IReadOnlyList IReadOnlyCollection Dictionary
    IDictionary Vec VecDeque BTreeMap BTreeSet vector map unordered_map set unordered_set deque
    array list dict tuple Sequence Mapping Iterator Array ReadonlyArray ReadonlySet ReadonlyMap
    """.split()  # noqa: SIM905 - a list of 50 quoted words reads worse
)
_ANY = rf"\b(?:{'|'.join(sorted(CONTAINERS))})\s?[<\[]"
_ITEMS = r"(?:\[\w*+\]|map\[|chan )"
_BEFORE = re.compile(rf"{_ANY}[^=;()]*[>\]][\s&*?]*+\$?\Z|\[\]\s*+\Z")
_BEHIND = re.compile(
    rf"\??\s?:\s?(?:&|mut |'\w+ )*+(?:(?:\w++(?:::|\.))*+{_ANY}|\[|\w++\[\])|\s{_ITEMS}"
)


def contains(line: str, name: str) -> bool:
    """Whether the name is said to be a container in it, not one of what that holds.

    >>> contains("final List<Ledger> all = open();", "all"), contains("all := x.All()", "all")
    (True, False)
    """
    places = [match.span() for match in re.finditer(rf"(?<![\w$]){re.escape(name)}\b", line)]
    return any(_BEFORE.search(line, 0, begin) or _BEHIND.match(line, end) for begin, end in places)
