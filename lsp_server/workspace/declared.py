"""What a line of code says that its names are. Pure functions.

Patterns, no parser: a text with a caret in it has errors, on which a parser spends up to 17 ms for
24,000 characters. What they take for a type by mistake does no harm: the index has none of that
name. A repetition is possessive or stands at a word's begin, so that no line takes long.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Chain = tuple[str, ...]
"""The name of a type, function or module, then of members: what the last one is or gives."""

JAVASCRIPTS = ("typescript", "typescriptreact", "javascript", "javascriptreact")
DECLARING = frozenset(["java", "csharp", "cpp", "c", "objective-c", "go", "rust", "php"])
"""Languages in which a parameter's or a local name's line says all that it may be."""
IMPORT = "import"
"""In place of a type: what follows is a module, as an import names it."""
LINE = 300
"""Characters of a line that are read."""
LINK = r"\s*+(?:[?!&]?\.|\??->(?!\s)|::)\s*+"
"""Not the arrow of a lambda, which has a space behind it."""
PATH = rf"(?<![\w$@])(?<![^.]\.)(?<!->)(?<!::)[\w$@]++(?:{LINK}#?[\w$]++)*"
"""Names joined by dots; not what follows a bracket or a string: `"".join`."""
_WORDS = frozenset(
    """
    public private protected internal final const readonly override virtual abstract sealed async
    return new throw throws else case goto delete yield await using import package in out ref let
    var val auto extends implements for impl struct interface class enum where mut dyn pub fn func
    function def typename template typedef and or not if is instanceof in as raise from do require
    """.split()  # noqa: SIM905 - a list of 60 quoted words reads worse
)
"""What is no type."""
_PLAIN = _WORDS.union(
    """
    None True False null nil undefined true false void str int float bool bytes string number
    boolean object any unknown never char byte long short double unsigned signed list dict set
    tuple frozenset type error usize i32 i64 u8 u32 u64 f64 String mixed array iterable callable
    """.split()  # noqa: SIM905 - as above
)
"""What no workspace defines."""
_OTHERS = frozenset(["list", "dict", "set", "tuple", "type", "error", "object", "string", "number"])
"""Types of other languages, which C has not."""
_BUILTIN = re.compile(
    r"\s*+(?:str|int|float|bool|bytes|dict|list|set|tuple|frozenset|string|number|boolean)\b(?!\.)"
)
_LITERAL = re.compile(r"""\s*+(?:[rbfuRBFU]{0,2}["'`]|[\[{]|-?\d|(?:True|False|true|false)\b)""")
_NAME = re.compile(r"[\w$]+")
_TYPE = re.compile(r"(?<!\w)[^\W\d]\w*+(?!\.|::|\\)")
_VALUE = re.compile(
    rf"[\s({{*&!]*+(?:(?:await|new|yield|from|range|mut|not)\s+)*+\\?(?:\w++\\)*+({PATH})"
)
_EITHER = re.compile(r"\s(?:or|if|else)\s|\?\?|\|\||\?(?!\.)|\s[:|]\s")
_CAST = re.compile(
    r"""\b(?:as\s++|cast\(\s*+["']?)(?=[A-Z])(\w++)|(?<![\w)])\(([A-Z][\w.]*+)\)\s?(?=\w)|"""
    r"\b(?:(?:static|dynamic)(?:_pointer)?_cast|make_(?:unique|shared))<([\w:]++)|"
    r"\bnew\(([\w.]++)\)|\.\(\*?([\w.]++)\)|^\s?\((?:struct )?(\w++) ?\*\)"
)
"""Also what C++ and Go make."""
_QUALIFIED = re.compile(r"(?<![\w.])[^\W\d]\w*+\.\w++")
_NAMESPACES = re.compile(r"^(?:[a-z_]\w*+::)+(?=[A-Z])")
_STRING = re.compile(r"""(?<!\\)(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')""")
_BRACKET = re.compile(r"([()\[\]{}])")
_OPENED_BY = {")": "(", "]": "[", "}": "{"}
_COMMENT = re.compile(r"\s*(?:#(?!\s*(?:include|define))|//|/?\*\s|/\*)")
_MARK = re.compile(r"[:=]|->|\b(?:in|of|as|is|isinstance|instanceof)\b")
"""Of a line that says something, where the type does not stand before or behind the name."""
_PROSE = re.compile(r"\w \w")
"""Of a docstring, `ledger: The one to pay from.`, where types have no two words side by side."""
_INDEX = r"\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*+\])*+\])*+\]"
_PLAIN_ANGLE = r"[^<>;=(){}]"
_ANGLES = rf"<(?:{_PLAIN_ANGLE}|<(?:{_PLAIN_ANGLE}|<{_PLAIN_ANGLE}*+>)*+>)*+>"
_TARGET = r"(?:(?:self|this|\$this)(?:\.|->)|@)?[\w$]++"
_TARGETS = rf"{_TARGET}(?:, ?{_TARGET})*+"
_ANNOTATED = re.compile(
    rf"(?<![\w$])(?P<name>{_TARGET})[?!]? ?:(?![:=])"
    rf"(?P<told>(?:[^=,;(){{}}\[\]<]|{_INDEX}|{_ANGLES})+)"
)
_CHECKED = (
    re.compile(
        r"\b(?:fn|function) (?P<name>\w++)\b.*\) ?(?:->|:)(?P<told>[^{}()=;]++)"  # what it returns
    ),
    re.compile(r"\bexcept \*?\(?(?P<told>[\w., ]++)\)? as (?P<name>\w++)"),
    re.compile(r"\bcase (?P<told>[\w.]++)\(.*\) as (?P<name>\w++)"),
    re.compile(r"\bisinstance\( ?(?P<name>[\w.]++), ?(?P<told>\([^()]*+\)|[^()]++)\)"),
    re.compile(r"(?<![\w.$])(?P<name>[\w.$]++) (?:instanceof|is) (?!None\b)(?P<told>[A-Z][\w.]*+)"),
)
_TYPE_FIRST = re.compile(
    rf"(?<![\w.:])(?P<told>[^\W\d][\w.:|]*+(?:{_ANGLES})?)(?:\[\])?\??[\s*&]++(?P<name>[\w$]++) ?"
    r"(?=[=;,){\[(]|:(?!:)|&&|->|in\b|$)"
)
_TYPE_LAST = re.compile(
    r"\b(?!(?:var|const|type|func|return|case|go|defer)\b)"
    r"(?P<name>[^\W\d]\w*+(?:, ?[^\W\d]\w*+)*+) "
    r"(?P<told>(?:\[\w*+\]|\*|\.\.\.|chan |map\[[\w.*]++\])*+[^\W\d][\w.]*+)"
)
_ALSO = {
    **dict.fromkeys(["cpp", "c", "objective-c", "java", "csharp", "php"], _TYPE_FIRST),
    "go": _TYPE_LAST,
}
_MODULES = re.compile(
    r"""(?:\bimport \* as ([\w$]+) from |^(?:const|let|var) ([a-z][\w$]*) = require\( ?)"""
    r"""["']([^"']+)"""
)
"""JavaScript's, with a name that need not be the module's."""
_KEYWORDS = (
    r"(?:(?:export|const|let|var|val|auto|final|local|mut|static|readonly|private|protected|public"
    r"|using|await)\b[\s&*]*+)*+"
)
_IF = r"(?:\}? ?(?:else )?(?:if|while) ?\(?)?"
_SOME = r"(?:(?:Some|Ok)\((?:Some\()?(?:ref |mut )*+)?"
_GIVEN = (
    re.compile(
        rf"^{_IF}{_KEYWORDS}{_SOME}\[?(?P<name>{_TARGETS})[\])]*+ ?(?::[^=]*+)?=(?![=>])"
        r"(?P<told>.*[^,])$"
    ),
    re.compile(
        rf"\bfor(?:each)? ?\(?{_KEYWORDS}[\[({{]?(?P<name>{_TARGETS})[\])}}]? ?"
        r"(?:\b(?:in|of)\b|:= ?range\b|:(?!=))(?P<told>.+)"
    ),
    re.compile(
        r"\b(?:with|foreach|for|import|except|use)\b[\s(]*+(?P<told>\S.*?) as (?:\$\w++ ?=> ?)?"
        r"(?P<name>[\w$]++)"
    ),
    re.compile(r"(?<![\w$])(?P<name>[\w$]++(?:, ?[\w$]++)*+) ?:= ?(?P<told>.+)"),
    re.compile(r"(?<![\w.])(?P<told>[\w.]+?)(?:\.sort\(|, ?)key=lambda (?P<name>\w++):"),
    re.compile(
        r"(?<![\w$.])(?P<told>[\w$.?!]+?)\??\.(?:map|flatMap|filter|find|forEach|some|every)\("
        r"(?:async )?\(?(?P<name>[\w$]++)[^()=]*+\)? ?=>"
    ),
)
_FIRST = re.compile(rf"\s*+{_KEYWORDS}(?:this\.)?#?([\w$]++)(?! ?\()")
_PARTS = re.compile(r"\{(?P<names>[\w$,:= ]++)\} ?(?P<by>:|=(?![=>])) ?(?P<told>.+)")
"""JavaScript's, of an object that is taken apart."""
_PARAMETER = re.compile(
    r"@param\s+\{([^{}]++)\}\s+\[?([\w$]++)|@(?:var|param)\s++([^\s{]\S*+)\s++\$(\w++)"
)
"""JavaScript's and PHP's, which say what the code does not: `@param Order[] $orders`."""
_TYPED_BY = re.compile(r"@type\s+\{([^{}]++)\}")
_PART = re.compile(r"([\w$]+)(?: ?: ?([\w$]+))?")
_OVER = re.compile(
    r"(?<![\w.])(?:enumerate|zip|sorted|reversed|list|tuple|set|iter|next|inject)\((?=\w)"
)
"""Gives what it is given."""
_MAKING = re.compile(r"=> ?new ([A-Z]\w*+)")
"""Hands over what makes something: `useMemo(() => new Ledger())`."""
_GENERIC = re.compile(rf"(?<=[\w$]){_ANGLES}(?=\()")


def declared(line: str, language: str) -> Iterator[tuple[str, Chain]]:
    """Names, and what they are of; () where that is no type of a workspace.

    >>> [*declared("def pay(self, ledger: Ledger | None) -> None:", "python")]
    [('ledger', ('Ledger',))]
    >>> [*declared("self._bank = await bank.Bank.open(path) or other", "python")]
    [('self._bank', ('bank', 'Bank', 'open')), ('self._bank', ('other',))]
    >>> [*declared("for entry in self.entries.values():", "python")]
    [('entry', ('self', 'entries', 'values'))]
    >>> [*declared("Ledger ledger = bank.open(path);", "java")]
    [('ledger', ('Ledger',))]
    >>> [*declared("ledger = []", "python")]
    [('ledger', ())]
    """
    if language in JAVASCRIPTS:
        line = line.replace("#", "")
    if _COMMENT.match(line):
        return
    line = " ".join(line[:LINE].split())
    yield from _parts(line) if language in JAVASCRIPTS else ()
    if also := _ALSO.get(language):
        line = _STRING.sub('""', line).partition(" //")[0]
    elif not _MARK.search(line):
        return
    for pattern in (*_CHECKED, also or _ANNOTATED):
        yield from _annotated(pattern, line, language)
    for one, other, of in _MODULES.findall(line):
        yield one or other, (IMPORT, of)
    for pattern in _GIVEN:
        for match in pattern.finditer(line):
            names = match["name"].replace(" ", "").split(",")
            if language == "go" and len(names) > 1:
                names = _of_go(names, match["told"], ranges="range" in line)
            yield from _given(names, match["told"])


def documented(name: str, line: str, above: str) -> Iterator[Chain]:
    """What comments in the line above, or a few of them, say of what a line declares.

    >>> [*documented("book", "function pay(book) {", "/** @param {Ledger} book Where. */")]
    [('Ledger',)]
    >>> [*documented("book", "let book;", "/** @type {Ledger} */")]
    [('Ledger',)]
    """
    for match in _PARAMETER.finditer(above):
        *_, told, parameter = filter(None, match.groups())
        yield from ((of,) for of in types_in(told) if parameter == name)
    first = _FIRST.match(line)
    if first and first[1] == name:
        yield from ((of,) for told in _TYPED_BY.findall(above) for of in types_in(told))


def types_in(text: str) -> list[str]:
    """Names in an annotation, the last ones of qualified ones.

    >>> types_in("dict[str, bank.Ledger | None]")
    ['Ledger']
    """
    return [name for name in dict.fromkeys(_TYPE.findall(text)) if name not in _PLAIN]


def values(text: str) -> Iterator[Chain]:
    """The names with which an expression begins, or each way of it; first what it is cast to."""
    for match in _CAST.finditer(text):
        yield from ((of,) for of in types_in(match[match.lastindex or 0]))
    for part in _EITHER.split(flat(text)):
        found = _VALUE.match(part)
        if found and not found[1][0].isdigit() and found[1] not in _PLAIN:
            yield chain_of(found[1])
    yield from ((name,) for name in _MAKING.findall(text))
    yield from ((name,) for angles in _GENERIC.findall(text) for name in types_in(angles))


def chain_of(path: str) -> Chain:
    """The names of a path, without the namespaces in which its type is."""
    return tuple(_NAME.findall(_NAMESPACES.sub("", path.replace("@", "self."))))


def flat(text: str) -> str:
    """Without what stands in strings and in brackets that are closed.

    >>> flat("pay(f(1)[2], 'x', [3")
    'pay(f, "", [3'
    """
    kept: list[str] = []
    opened: list[int] = []
    for part in _BRACKET.split(_STRING.sub('""', text)):
        if opened and _OPENED_BY.get(part) == kept[opened[-1]]:
            del kept[opened.pop() :]
            continue
        if part and part in "([{":
            opened.append(len(kept))
        kept.append(part)
    return "".join(kept)


def _annotated(pattern: re.Pattern[str], line: str, language: str) -> Iterator[tuple[str, Chain]]:
    for match in pattern.finditer(line):
        prose = language == "python" and _PROSE.search(match["told"])
        if not prose and match["told"] not in _WORDS:
            called = line.startswith("(", match.end("told"))
            types = _typed(match["told"], language, called=called)
            yield from ((name, of) for name in match["name"].split(", ") for of in types)


def _given(names: list[str], text: str) -> Iterator[tuple[str, Chain]]:
    """Each name with its own part of the text, where there are as many; else with all of it."""
    text = _OVER.sub("", text)
    parts = flat(text).split(",")
    for number, name in enumerate(names):
        own = parts[number] if len(parts) == len(names) > 1 else text
        ways = list(values(own))
        yield from ((name, chain) for chain in ways or ([()] if _LITERAL.match(own) else []))


def _parts(line: str) -> Iterator[tuple[str, Chain]]:
    """Names of an object's members: `{ name, owner: other } = book`, `({ name }: Book)`."""
    for match in _PARTS.finditer(line):
        told = match["told"]
        typed = ((of,) for of in types_in(re.split("[)=]", told)[0]))
        ways = list(values(told) if match["by"] == "=" else typed)
        for part in filter(None, map(_PART.match, match["names"].replace(" ", "").split(","))):
            yield from ((part[2] or part[1], (*way, part[1])) for way in ways)


def _typed(text: str, language: str, *, called: bool) -> list[Chain]:
    """What an annotation names; in Go with the package, of which a file may import several."""
    if language == "go" and "." in text:
        return [chain_of(path) for path in _QUALIFIED.findall(text)]
    if language in ("c", "cpp") and text in _OTHERS:
        return [(text,)]
    is_builtin = language in DECLARING or (not called and _BUILTIN.match(text))
    return [(of,) for of in types_in(text)] or ([()] if is_builtin else [])


def _of_go(names: list[str], text: str, *, ranges: bool) -> list[str]:
    """Those that are of one value: not the index of a loop, nor an error."""
    if len(flat(text).split(",")) == len(names):
        return names
    return names[-1:] if ranges else names[:1]
