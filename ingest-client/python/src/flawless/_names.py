"""Which names announce a secret: words are compared, so that `author` is not taken for `auth`."""

import re
from functools import lru_cache
from typing import FrozenSet, List, Tuple

# Longer names are no variable's or header's: they are not looked at.
MAX_NAME = 200

# Names that are remembered with their verdict: a program has some thousand.
MAX_REMEMBERED = 8192

# Words that make a name secret, wherever they stand in it.
_WORDS = frozenset(
    "auth authentication authorization bearer cookie cookies credential credentials creds csrf cvc cvv iban jwt oauth"
    " passcode passphrase passwort pwd secret secrets session sessionid jsessionid phpsessid sessid ssn token tokens"
    " xsrf pw otp totp pin kennwort mdp contrasena contraseña clave senha wachtwoord passord heslo haslo parola csc"
    " dbpass dbpw userpass mnemonic".split()
)

# Two words that make a name secret together, written apart (`api_key`) or as one (`apikey`).
_PAIRS = frozenset(
    [
        ("access", "key"),
        ("account", "number"),
        ("api", "key"),
        ("admin", "pass"),
        ("card", "no"),
        ("card", "number"),
        ("cc", "number"),
        ("credit", "card"),
        ("encryption", "key"),
        ("client", "secret"),
        ("db", "pass"),
        ("de", "passe"),
        ("ftp", "pass"),
        ("master", "key"),
        ("private", "key"),
        ("session", "id"),
        ("signing", "key"),
        ("shared", "key"),
        ("smtp", "pass"),
        ("social", "security"),
        ("ssh", "key"),
        ("storage", "key"),
        ("user", "pass"),
        ("verification", "code"),
    ]
)
_JOINED = frozenset(first + second for first, second in _PAIRS)

# Parts that no ordinary word holds, so that `userpassword` and `csrfmiddlewaretoken` are found as well.
_PARTS = ("password", "passwd", "apikey", "authtoken", "csrf", "secretkey", "privatekey", "cardnumber")

# Last words of names that describe a secret without holding it: `token_type`, `AuthenticationError`.
_HARMLESS_LAST = frozenset(
    "count length size type ttl expires expiry timeout limit max min error exception".split()
)

# First words of names that count rather than hold: `max_tokens`.
_HARMLESS_FIRST = frozenset(["max", "min", "num", "total"])

# Where a new word begins: `authToken` before `T`, `CSRFToken` before the capital that a small letter follows.
_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_LETTER = re.compile(r"[\W_]+")


def _words(name: str) -> List[str]:
    for written, meant in (("%5B", "["), ("%5b", "["), ("%5D", "]"), ("%5d", "]")):
        name = name.replace(written, meant)
    parts = _NO_LETTER.split(_SEAM.sub(" ", name))
    words = [part.lower().strip("0123456789") for part in parts]
    return [word for word in words if word]


@lru_cache(maxsize=MAX_REMEMBERED)
def is_secret(name: str) -> bool:
    """Whether a variable, key, header or parameter of this name holds a secret."""
    if not 2 <= len(name) <= MAX_NAME:
        return False
    words = _words(name)
    if not words:
        return False
    if len(words) > 1 and (words[-1] in _HARMLESS_LAST or words[0] in _HARMLESS_FIRST):
        return False
    for word in words:
        if word in _WORDS or word in _JOINED or any(part in word for part in _PARTS):
            return True
    return any(pair in _PAIRS for pair in zip(words, words[1:]))


def _squeezed(name: str) -> str:
    return _NO_LETTER.sub("", name).lower()


class SecretNames:
    """The names above, and those that the application adds: they are found in longer names, in any case and spelling."""

    def __init__(self, added: Tuple[str, ...] = ()) -> None:
        self._added: FrozenSet[str] = frozenset(filter(None, map(_squeezed, added)))

    def __contains__(self, name: object) -> bool:
        if not issubclass(type(name), str):
            return False
        # A subclass of `str` could do anything in the calls below.
        plain = str.__str__(name)  # type: ignore[arg-type]
        if self._added and len(plain) <= MAX_NAME:
            squeezed = _squeezed(plain)
            if any(added in squeezed for added in self._added):
                return True
        return is_secret(plain)
