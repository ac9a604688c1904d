"""Comparing texts as IAM does: `*` and `?`, policy variables, and account symbols that stand for ids.

A symbol such as `account:stage` behaves as a 12-digit id that nobody knows yet: `*` and twelve `?` match it, another
id or symbol does not, and a pattern that fixes some of its digits is unknown.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

from twokeys.iam.truth import FALSE, FREE, TRUE, UNKNOWN, Lookup, Truth, absent, all_of, truth

_SYMBOL = re.compile(r"(?:(?<=:)|\A)account:[A-Za-z0-9_-]+(?=[:/]|\Z)")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_REFERENCE = re.compile(r"\s*([^\s,']+(?: +[^\s,']+)*)\s*(?:,\s*'([^']*)'\s*)?")
_PRIVATE = 0xF0000
_IS_PRIVATE = re.compile("[\U000f0000-\U000fffff]")
_STAR = 0
_ANY = 1
_Token = str | int


class Variable:
    """A policy variable: the condition key it reads, in lower case, and its default value, if any."""

    __slots__ = ("default", "key")

    def __init__(self, key: str, default: str | None) -> None:
        self.key = key.lower()
        self.default = default


def with_ids(text: str) -> str:
    """The text with each account symbol replaced by twelve characters that no real text contains."""
    return _SYMBOL.sub(lambda found: _stand_in(found[0]), text) if "account:" in text else text


def as_completed(resource: str) -> tuple[str, ...]:
    """A name of a Resource element as it stands, and an ARN that lacks components also as AWS completes it, with `*`.

    One that ends with a `*` means all of that as it stands.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    """
    lacks = 5 - with_ids(resource).count(":") if resource.startswith("arn:") and resource[-1] != "*" else 0
    return (resource, resource + ":*" * lacks) if lacks > 0 else (resource,)


def with_values(text: str, lookup: Lookup) -> str | None:
    """The text with its variables replaced, what they bring being escaped; None if one has no value.

    Unchanged if one is free or unresolved.
    """
    filled = ""
    for part in _split_variables(text):
        if isinstance(part, _Special):
            filled += f"${{{part.character}}}"
        elif isinstance(part, Variable):
            found = lookup(part.key)
            if found is UNKNOWN or found is FREE:
                return text
            brought = found[0] if len(found) == 1 else None if found else part.default
            if brought is None:
                return None
            filled += re.sub(r"[*?$]", r"${\g<0>}", brought)
        else:
            filled += part
    return filled


def is_symbolic(text: str) -> bool:
    """Whether the text holds the symbol of an account whose id is not known yet."""
    return "account:" in text and _SYMBOL.search(text) is not None


@lru_cache(maxsize=4096)
def _stand_in(symbol: str) -> str:
    digest = sha256(symbol.encode()).digest()
    return "".join(chr(_PRIVATE + int.from_bytes(digest[i : i + 2], "big") % 0xFFFE) for i in range(0, 24, 2))


class TextPattern:
    """One value of a policy, compiled: exact or with wildcards, with or without variables, with or without case.

    Args:
        text: the value as the policy has it.
        wildcards: whether `*` and `?` are wildcards.
        variables: whether `${...}` is a policy variable (only in documents of version 2012-10-17).
        ignore_case: whether letters match in either case.
    """

    __slots__ = ("_exact", "_ignore_case", "_open", "_regex", "_settled", "_tokens", "keys", "text", "wild")

    def __init__(self, text: str, *, wildcards: bool, variables: bool, ignore_case: bool = False) -> None:
        self.text = text
        self._ignore_case = ignore_case
        self._exact: str | None = None
        self._regex: re.Pattern[str] | None = None
        self._open: tuple[_Token, ...] | None = None
        parts = _split_variables(with_ids(text)) if variables and "${" in text else (with_ids(text),)
        tokens: list[_Token | Variable] = []
        for part in parts:
            if isinstance(part, str):
                tokens.extend(_wildcard_tokens(part) if wildcards else [part])
            elif isinstance(part, _Special):
                tokens.append(part.character)
            else:
                tokens.append(part)
        self._tokens = tuple(tokens)
        self.keys = tuple([token.key for token in tokens if isinstance(token, Variable)])
        self.wild = any(isinstance(token, int) for token in tokens)
        """Whether it has wildcards."""
        self._settled = () if self.keys else self._cased_tokens(self._plain())
        if not self.keys and not self.wild:
            self._exact = "".join(map(str, self._settled))
        elif not self.keys:
            self._regex = _regex(self._settled)

    def _cased(self, text: str) -> str:
        return text.lower() if self._ignore_case else text

    def _cased_tokens(self, tokens: tuple[_Token, ...]) -> tuple[_Token, ...]:
        if not self._ignore_case:
            return tokens
        return tuple(token.lower() if isinstance(token, str) else token for token in tokens)

    def matches(self, value: str, lookup: Lookup = absent) -> Truth:
        """Whether a text matches; a variable without a value matches nothing, an unresolved one is unknown.

        Variables are looked up in the request; what they bring is literal text, never a wildcard. A text that is all
        symbol is also compared as it stands, since any other text can begin with `account:`.
        """
        text = self._cased(with_ids(value))
        if self._exact is not None:
            return truth(text == self._exact)
        if self._regex is not None:
            found = _match(self._regex, self._settled, text)
            if found is FALSE and value.startswith("account:"):
                return truth(self._regex.fullmatch(self._cased(value)) is not None)
            return found
        resolved = self.resolve(lookup)
        if resolved is Truth.FREE:
            return self.open_match(text)
        if isinstance(resolved, Truth):
            return resolved
        if not self.wild:
            return truth(text == "".join(map(str, resolved)))
        return _match(_regex(resolved), resolved, text)

    def open_match(self, text: str) -> Truth:
        """FREE if some values of the variables may make the pattern match a text; else what they cannot change."""
        if self._open is None:
            self._open = self._cased_tokens(
                tuple([_STAR if isinstance(token, Variable) else token for token in self._tokens])
            )
        possible = _match(_regex(self._open), self._open, text)
        return Truth.FREE if possible is TRUE else possible

    def samples(self, filler: str) -> tuple[str, ...]:
        """Texts that it matches: with nothing and with the filler in place of each `*`; none if it has variables."""
        if self.keys:
            return ()
        plain = [filler if token == _ANY else token for token in self._plain()]
        return tuple("".join(star if token == _STAR else str(token) for token in plain) for star in ("", filler))

    def filling(self, value: str) -> str | None:
        """The value that the only variable of the pattern must have for a text to match; None when it is not clear."""
        if len(self.keys) != 1 or _STAR in self._tokens:
            return None
        parts = ["(.*)" if isinstance(token, Variable) else _as_regex((token,)) for token in self._tokens]
        found = re.fullmatch("".join(parts), with_ids(value), re.DOTALL)
        return None if found is None else found[1]

    def resolve(self, lookup: Lookup) -> tuple[_Token, ...] | Truth:
        """The tokens with every variable replaced by its value, or why that cannot be done."""
        tokens: list[_Token] = []
        for token in self._tokens:
            if not isinstance(token, Variable):
                tokens.append(token)
                continue
            found = lookup(token.key)
            if found is UNKNOWN:
                return Truth.UNKNOWN
            if found is FREE:
                return Truth.FREE
            if len(found) == 1:
                tokens.append(with_ids(found[0]))
            elif token.default is not None and not found:
                tokens.append(token.default)
            else:
                return FALSE
        return self._cased_tokens(tuple(tokens))

    def _plain(self) -> tuple[_Token, ...]:
        return tuple([token for token in self._tokens if not isinstance(token, Variable)])


class ArnPattern:
    """An ARN with wildcards, compared component by component: no wildcard reaches across a colon.

    The lone `*` matches everything. A text with fewer than six components matches nothing as the value of a condition;
    as a resource it is compared as plain text too: there a `*` may reach across colons.

    Args:
        text: the ARN as the policy has it.
        variables: whether `${...}` is a policy variable.
        resource: whether it stands in a Resource element: there a variable is one only after the fifth colon.
    """

    __slots__ = ("_anything", "_first", "_parts", "_plain", "_resource", "_whole", "keys", "text")

    def __init__(self, text: str, *, variables: bool, resource: bool) -> None:
        self.text = text
        self._resource = resource
        self._anything = bool(text) and not text.strip("*")
        self._whole: TextPattern | None = None
        self._parts: tuple[TextPattern, ...] = ()
        segments = with_ids(text).split(":", 5)
        if (not resource and variables and "${" in text) or (resource and len(segments) < 6):
            self._whole = TextPattern(text, wildcards=True, variables=variables)
        elif len(segments) == 6:
            self._parts = tuple(
                TextPattern(part, wildcards=True, variables=variables and place == 5)
                for place, part in enumerate(segments)
            )
        first = "".join(f"{part}:" for part in segments[:5]) if self._parts else ""
        self._first = None if "*" in first or "?" in first else first
        patterns = self._parts if self._whole is None else (self._whole,)
        self.keys = tuple(key for pattern in patterns for key in pattern.keys)
        plain = self._parts and "${" not in text and not is_symbolic(text)
        self._plain = _components_regex(segments) if plain else None

    def matches(self, value: str, lookup: Lookup) -> Truth:
        """Whether an ARN matches in all six components; what is no ARN matches only `*`."""
        if self._anything:
            return TRUE
        if self._plain is not None and "account:" not in value:
            return FALSE if self._plain.fullmatch(value) is None else TRUE
        text = with_ids(value)
        if self._first:
            same = text.startswith(self._first)
            return self._parts[5].matches(text[len(self._first) :], lookup) if same else FALSE
        segments = text.split(":", 5)
        if self._parts:
            return _all_match(self._parts, segments, lookup) if len(segments) == 6 else FALSE
        if self._whole is None:
            return FALSE
        if self._resource:
            return self._whole.matches(value, lookup)
        resolved = self._whole.resolve(lookup)
        if resolved is Truth.FREE:
            return self._whole.open_match(text)
        if isinstance(resolved, Truth):
            return resolved
        components = _components(resolved)
        if len(components) < 6 or len(segments) < 6:
            return FALSE
        return all_of([_match(_regex(tokens), tokens, part) for tokens, part in zip(components, segments, strict=True)])

    @property
    def wild(self) -> bool:
        """Whether it has wildcards and is not the lone `*`."""
        return not self._anything and TextPattern(self.text, wildcards=True, variables=True).wild

    def samples(self, filler: str) -> tuple[str, ...]:
        """Texts that it matches, as in `TextPattern.samples`."""
        return TextPattern(self.text, wildcards=True, variables=True).samples(filler)

    def filling(self, value: str) -> str | None:
        """The value that the only variable must have, as in `TextPattern.filling`."""
        segments = with_ids(value).split(":", 5)
        return self._parts[5].filling(segments[5]) if len(segments) == 6 and self._parts else None


def _all_match(patterns: tuple[TextPattern, ...], segments: list[str], lookup: Lookup) -> Truth:
    found = TRUE
    for pattern, segment in zip(patterns, segments, strict=True):
        result = pattern.matches(segment, lookup)
        if result is FALSE:
            return result
        if result is not TRUE and found is not Truth.UNKNOWN:
            found = result
    return found


def _components(tokens: tuple[_Token, ...]) -> list[tuple[_Token, ...]]:
    """The tokens split at the first five colons."""
    components: list[list[_Token]] = [[]]
    for token in tokens:
        if isinstance(token, int):
            components[-1].append(token)
            continue
        pieces = token.split(":", 6 - len(components))
        for place, piece in enumerate(pieces):
            if place:
                components.append([])
            if piece:
                components[-1].append(piece)
    return [tuple(component) for component in components]


class _Special:
    """`${*}`, `${?}` or `${$}`: the character itself."""

    __slots__ = ("character",)

    def __init__(self, character: str) -> None:
        self.character = character


@lru_cache(maxsize=4096)
def _split_variables(text: str) -> tuple[str | Variable | _Special, ...]:
    """The literal parts and the variables of a value; what only looks like a variable stays literal."""
    parts: list[str | Variable | _Special] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        inner = found[1]
        reference = _REFERENCE.fullmatch(inner)
        if inner in ("*", "?", "$"):
            part: Variable | _Special = _Special(inner)
        elif reference is not None:
            part = Variable(reference[1], reference[2])
        else:
            continue
        parts.append(text[end : found.start()])
        parts.append(part)
        end = found.end()
    parts.append(text[end:])
    return tuple(parts)


def _wildcard_tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    for piece in re.split(r"([*?])", text):
        if piece == "*":
            tokens.append(_STAR)
        elif piece == "?":
            tokens.append(_ANY)
        elif piece:
            tokens.append(piece)
    return tokens


def _match(regex: re.Pattern[str], tokens: tuple[_Token, ...], text: str) -> Truth:
    if regex.fullmatch(text) is not None:
        return TRUE
    if _IS_PRIVATE.search(text) is not None and any(isinstance(token, int) for token in tokens):
        perhaps = _regex(tokens, digits_fit_symbols=True)
        return FALSE if perhaps.fullmatch(text) is None else Truth.UNKNOWN
    return FALSE


@lru_cache(maxsize=65536)
def _regex(tokens: tuple[_Token, ...], *, digits_fit_symbols: bool = False) -> re.Pattern[str]:
    return re.compile(_as_regex(tokens, digits_fit_symbols=digits_fit_symbols), re.DOTALL)


def _as_regex(tokens: Iterable[_Token], *, character: str = ".", digits_fit_symbols: bool = False) -> str:
    """A regular expression that cannot backtrack: each chunk after a `*` takes its leftmost place.

    `character` is what a `?` stands for.
    """
    chunks: list[str] = [""]
    for token in tokens:
        if token == _STAR:
            chunks.append("")
        elif token == _ANY:
            chunks[-1] += character
        else:
            chunks[-1] += _with_any_ids(re.escape(str(token))) if digits_fit_symbols else re.escape(str(token))
    if len(chunks) == 1:
        return chunks[0]
    middle = "".join(f"(?>{character}*?{chunk})" for chunk in chunks[1:-1] if chunk)
    return f"{chunks[0]}{middle}{character}*{chunks[-1]}"


def _components_regex(segments: list[str]) -> re.Pattern[str]:
    """Six components with wildcards as one regular expression; the first five have no colon."""
    first = [_as_regex(_wildcard_tokens(segment), character="[^:]") for segment in segments[:5]]
    return re.compile(":".join([*first, _as_regex(_wildcard_tokens(segments[5]))]), re.DOTALL)


def _with_any_ids(literal: str) -> str:
    """Digits may also be those of an id that is not known yet, except a complete other id."""
    return "".join(
        run if len(run) == 12 and run.isdigit() else re.sub(r"[0-9]", "[\\g<0>\U000f0000-\U000fffff]", run)
        for run in re.split(r"([0-9]+)", literal)
    )
