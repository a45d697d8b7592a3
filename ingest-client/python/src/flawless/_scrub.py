"""Secrets are taken out of a report before it leaves the process: by name, by value and by look."""

import re
from itertools import islice
from typing import Any, Dict, Iterable, List, Mapping, Optional, Pattern, Tuple, Union
from urllib.parse import quote

from flawless._names import SecretNames

# What stands in a secret's place: the word that the Sentry clients use too.
FILTERED = "[Filtered]"

# Shorter secrets are hidden where their name stands, but not looked for elsewhere: `1234` is in too many texts.
MIN_SECRET = 6

# Longer secrets are looked for by their beginning: it is unique, and a pattern of many megabytes would be slow.
MAX_SECRET = 512

# More secrets of one report are not looked for elsewhere: each makes every look longer.
MAX_SECRETS = 200

# Values looked at in search of secrets in one report: large tables among the variables must not slow the application.
MAX_VISITED = 2_000

# Levels below a variable that are searched.
MAX_DEPTH = 5

# Elements of one collection that are searched.
MAX_ELEMENTS = 100

# Characters of one text that are kept: the server keeps less, and the patterns are run on all of it.
MAX_TEXT = 8_000

# Words that stand behind secret names without being secret: hiding them everywhere would garble the report.
_COMMON = frozenset(
    "bearer basic digest token tokens password passwd secret secrets session sessions cookie cookies default disabled"
    " enabled filtered [filtered] required optional missing invalid expired unknown anonymous production development"
    " staging testing localhost string number undefined".split()
)

_SHAPES: List[Tuple[Pattern[str], str]] = [
    # Private keys, to the end of the text where it was cut short.
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.S
        ),
        FILTERED,
    ),
    # `scheme://user:password@`, or a lone user part long enough to be a token.
    (re.compile(r"://(?:[^\s/@:'\"?#]*:[^\s/'\"?#]*|[^\s/@:'\"?#]{16,})@"), f"://{FILTERED}@"),
    # JSON web tokens, and the tokens of well-known services by their published prefixes.
    (
        re.compile(
            r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"
            r"|\bgh[opsur]_[A-Za-z0-9]{16,}|\bgithub_pat_[A-Za-z0-9_]{16,}|\bglpat-[A-Za-z0-9_-]{16,}"
            r"|\bxox[a-z]-[A-Za-z0-9-]{8,}|\bsk-(?:[a-z]{2,8}-)?[A-Za-z0-9_]{16,}[A-Za-z0-9_-]*"
            r"|\b[rs]k_(?:live|test)_[A-Za-z0-9]{8,}|\bA(?:KIA|SIA)[A-Z0-9]{16}\b|\bAIza[0-9A-Za-z_-]{35}"
            r"|\bnpm_[A-Za-z0-9]{30,}|\bpypi-[A-Za-z0-9_-]{40,}|\bwhsec_[A-Za-z0-9]{16,}"
        ),
        FILTERED,
    ),
    # `Bearer …` and `Basic …`, unless a word of a language follows ("Basic authentication").
    (
        re.compile(
            r"\b((?i:bearer|basic)[ \t]+)"
            r"(?=[A-Za-z./-]*[0-9=+_~]|[A-Z]*[a-z]+[A-Z]|[A-Z]{2,}[a-z]|\S{25})[A-Za-z0-9._~+/-]{6,}={0,2}"
        ),
        rf"\1{FILTERED}",
    ),
]

# Every shape contains one of these.
_SHAPE_HINT = re.compile(
    r"://|-----BEGIN|eyJ|gh[opsur]_|github_pat_|glpat-|xox|sk-|[rs]k_|AKIA|ASIA|AIza|npm_|pypi-|whsec_|(?i:bearer|basic)"
)

# A name, what may close it, what announces a value, and the value: quoted (escaped quotes and all), or one word.
_ASSIGNED = re.compile(
    r"(?<![\w.%-])(?P<name>[\w.%-]{1,200})(?P<close>\\*[\"']?[\])]?)[ \t]*(?P<sign>=>|:=|=(?!=)|:)[ \t]*"
    r"(?P<prefix>[A-Za-z_]{0,24}\()?(?P<kind>[bBuUrR]{0,2})"
    r"(?:(?P<quote>\\*[\"'])(?P<quoted>.*?)(?:(?<!\\)(?P=quote)|\Z)|(?P<bare>[^\s&;,\"'()\[\]{}\\]+))",
    re.S,
)
_HEADER = re.compile(r"(?im)^(?P<head>[ \t]*[\w-]*(?:authorization|cookie)[ \t]*:[ \t]*)(?P<value>[^\r\n\"']+)")
# Values that tell nothing are better seen: `password=None` may be the whole error.
_PLAIN = frozenset(["", "None", "True", "False", "null", "nil", "true", "false", "undefined", FILTERED])


def _looks_random(word: str) -> bool:
    return bool(re.search(r"[0-9=+_~]", word)) or bool(re.search(r"[a-z].*[A-Z]|.[A-Z].*[a-z]", word)) or len(word) > 24


class Rules:
    """What counts as a secret in this application."""

    def __init__(self, names: Iterable[str] = (), patterns: Iterable[Union[str, Pattern[str]]] = ()) -> None:
        if isinstance(names, str) or isinstance(patterns, str):
            raise TypeError("scrub_names and scrub_patterns are lists of texts, not one text")
        self.names = SecretNames(tuple(names))
        self.patterns = [re.compile(pattern) for pattern in patterns]


class Scrub:
    """The scrubbing of one report. It is told of all that holds secrets first; then it makes texts harmless."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._values: Dict[str, None] = {}
        self._pattern: Optional[Pattern[str]] = None
        self._left = MAX_VISITED

    def is_secret(self, name: object) -> bool:
        """Whether what goes by this name is a secret."""
        return name in self._rules.names

    # --- First: what the secrets are -----------------------------------------------------------------------------

    def learn(self, name: object, value: Any) -> None:
        """Remembers the secrets in a value that goes by this name. Nothing of the application's is called or changed."""
        try:
            self._visit(value, self.is_secret(name), MAX_DEPTH)
        except Exception:
            # A value that is made to be no ordinary one; what was found in it so far counts.
            pass

    def _visit(self, value: Any, secret: bool, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth < 0 or value is None:
            return
        # Not `isinstance`: it asks the value for its class, and a proxy goes and asks what it stands for.
        kind = type(value)
        if issubclass(kind, str):
            if secret:
                self._remember(str.__str__(value))
        elif issubclass(kind, (bytes, bytearray)):
            if secret:
                self._remember(bytes(value[:MAX_TEXT]).decode("utf-8", "replace"))
        elif kind is int:
            if secret and value.bit_length() < 256:
                self._remember(str(value))
        elif issubclass(kind, dict):
            for key, item in _head(dict.items(value)):
                self._visit(item, secret or self.is_secret(key), depth - 1)
        elif kind in (list, tuple, set, frozenset):
            items = _head(value)
            for name, item in zip(items, items[1:]):
                # `--password x`, as in the arguments of a program.
                if type(name) is str and name.startswith("-") and self.is_secret(name):
                    self._visit(item, True, depth - 1)
            for item in items:
                # A pair may be a name and its value, as in a list of headers.
                if kind is tuple and len(value) == 2 and self.is_secret(_name(value[0])):
                    self._visit(value[1], True, depth - 1)
                    return
                self._visit(item, secret, depth - 1)
        elif kind.__module__ != "builtins" and not issubclass(kind, type):
            for key, item in _head(attributes(value).items()):
                self._visit(item, secret or self.is_secret(key), depth - 1)

    def _remember(self, value: str) -> None:
        value = value.strip()
        words = [value]
        if value.lower().startswith(("bearer ", "basic ", "token ")):
            words.extend(value.split(" ")[1:])
        for word in words:
            if len(word) < MIN_SECRET or word.lower() in _COMMON or word in _PLAIN or len(self._values) >= MAX_SECRETS:
                continue
            self._values[word[: MAX_SECRET + 1]] = None
            self._pattern = None

    # --- Then: making texts harmless -----------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """The text without secrets, and not longer than a report needs."""
        # What is cut off must not cut a secret in two: its first half would be no secret that is known. Quoted for a URL,
        # one takes three times its room.
        is_long = len(text) > MAX_TEXT
        if is_long:
            text = text[: MAX_TEXT + 3 * MAX_SECRET]
        if self._values:
            text = self._known().sub(FILTERED, text)
        if is_long:
            text = text[:MAX_TEXT] + "…"
        # Most texts are short and plain: they are spared the closer looks.
        if len(text) >= 3 and (":" in text or "=" in text):
            text = _HEADER.sub(self._header, text)
            text = self._assigned(text)
        if len(text) >= 12 and _SHAPE_HINT.search(text):
            for pattern, instead in _SHAPES:
                text = pattern.sub(instead, text)
        for pattern in self._rules.patterns:
            text = pattern.sub(FILTERED, text)
        return text

    def tree(self, value: Any, name: object = None, depth: int = 20) -> Any:
        """A copy of what is ready to become JSON, without secrets."""
        if name is not None and self.is_secret(name) and not _tells_nothing(value):
            return FILTERED
        if isinstance(value, str):
            return self.text(value)
        if depth <= 0:
            return None if value is None else FILTERED
        if isinstance(value, Mapping):
            return {
                self.text(key) if isinstance(key, str) else key: self.tree(item, key, depth - 1)
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            if len(value) == 2 and isinstance(value[0], str) and self.is_secret(value[0]):
                return [value[0], FILTERED]
            before = [None, *value]
            return [
                # `--password x`, as in the arguments of a program.
                self.tree(item, name if isinstance(name, str) and name.startswith("-") else None, depth - 1)
                for name, item in zip(before, value)
            ]
        return value

    def _known(self) -> Pattern[str]:
        if self._pattern is None:
            forms = {form for value in self._values for form in (value, repr(value)[1:-1], quote(value, safe=""))}
            self._pattern = re.compile("|".join(map(_sought, sorted(forms, key=len, reverse=True))))
        return self._pattern

    def _header(self, found: "re.Match[str]") -> str:
        return found["head"] + FILTERED

    def _assigned(self, text: str) -> str:
        """Hides values that stand in a text behind their name: `password='x'`, `{"token": "x"}`, `a=b&password=c`."""
        parts: List[str] = []
        at = 0
        start = 0
        while True:
            found = _ASSIGNED.search(text, at)
            if found is None:
                break
            # What looks like a value may hold the next name: `url=http://x/?token=y`, `text='password=x'`.
            at = found.end("sign")
            if not self.is_secret(found["name"].strip(".")):
                continue
            group = "quoted" if found["quoted"] is not None else "bare"
            value = found[group]
            if value in _PLAIN or value.startswith(FILTERED) or found["kind"] + value in _PLAIN:
                continue
            # Prose: "invalid token: expected a comma".
            prose = found["sign"] == ":" and not found["close"].strip("])") and group == "bare"
            whole = (found["prefix"] or "") + found["kind"] + value if group == "bare" else value
            if prose and not _looks_random(whole) and text[found.end() :].split("\n", 1)[0].strip():
                continue
            begin = found.start(group) if group == "quoted" else found.start("kind")
            parts.append(text[start:begin] + FILTERED)
            start = at = found.end(group)
        parts.append(text[start:])
        return "".join(parts)


def _sought(form: str) -> str:
    """A long secret is known by its beginning, and ends where its characters do: what follows is as secret."""
    if len(form) <= MAX_SECRET:
        return re.escape(form)
    return re.escape(form[:MAX_SECRET]) + r"[^\s\"'<>,;]*"


def attributes(value: Any) -> Dict[str, Any]:
    """What an object keeps in its `__dict__` and slots, without running any code of the object's class."""
    found: Dict[str, Any] = {}
    try:
        own = object.__getattribute__(value, "__dict__")
        if isinstance(own, dict):
            found.update(_head(dict.items(own)))
    except Exception:
        pass
    for base in type(value).__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else tuple(slots)[:MAX_ELEMENTS]:
            slot = base.__dict__.get(name)
            if type(slot).__name__ == "member_descriptor":
                try:
                    found[name] = slot.__get__(value, type(value))
                except Exception:
                    continue
    return found


def _head(items: Iterable[Any]) -> List[Any]:
    """The first elements; none where another thread changes the collection meanwhile."""
    try:
        return list(islice(items, MAX_ELEMENTS))
    except RuntimeError:
        return []


def _name(value: Any) -> object:
    return value.decode("latin-1") if type(value) is bytes and len(value) < 200 else value


def _tells_nothing(value: Any) -> bool:
    return value is None or value == "" or (isinstance(value, str) and value in _PLAIN) or isinstance(value, bool)
