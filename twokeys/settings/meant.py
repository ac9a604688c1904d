"""What somebody meant by a value of the wrong type, as the text to write in its place."""

import json
import re

from twokeys.settings.keys import keys_at, may_be_empty

_SECONDS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3_600, "hour": 3_600, "d": 86_400}
_SECONDS |= {"day": 86_400, "w": 604_800, "week": 604_800, "y": 31_536_000, "year": 31_536_000}
_ACCOUNTS = ("managementAccountId", "accounts")


def meant(kind: str, place: tuple[str | int, ...], value: object) -> str | None:
    """The next step that says what to write; None where nothing tells what was meant.

    Args:
        kind: pydantic's type of the error.
        place: the keys down to the value, as in `("doors", "stage", "sessionSeconds")`.
        value: what was given.
    """
    name = str(place[-1]) if place else ""
    if kind.startswith(("int_", "float_")):
        return _number(name, str(value), whole=kind.startswith("int_"))
    if kind == "tuple_type" and isinstance(value, str):
        return f"write it as a list: [{', '.join(each.strip() for each in value.split(','))}]"
    if kind == "tuple_type" and isinstance(value, dict) and not any(value.values()):
        return f"write it as a list: [{', '.join(map(str, value))}]"
    if kind == "tuple_type" and isinstance(value, dict) and name == "statements":
        return "write it as a list: `- ` in front of its first key, and the others indented below that one"
    if kind == "string_type":
        return _text(place, value)
    if kind == "dict_type" and isinstance(value, list):
        return "write each as a key with a colon, and behind it what belongs to it"
    if kind == "dict_type" and isinstance(value, str) and value.lstrip().startswith("{"):
        return "take the quotes around it away"
    if kind == "model_type":
        return _settings(place, value)
    return None


def _number(name: str, text: str, *, whole: bool) -> str | None:
    """A number with a unit: a time in the unit that the key's name ends in, or a sum of money."""
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*([A-Za-z]+?)s?\s*", text)
    unit = _SECONDS.get(found[2].lower()) if found else None
    per = 86_400 if name.endswith("Days") else 1 if name.endswith("Seconds") else None
    if found and unit and per:
        amount = float(found[1]) * unit / per
        return (
            f"write {int(amount)}, which is {text.strip()} in {'days' if per > 1 else 'seconds'}"
            if amount >= 1
            else None
        )
    plain = re.fullmatch(r"[^\d-]{0,4}(\d{1,3}(?:,\d{3})+|\d{1,15})(\.\d+)?[^\d.,]{0,12}", text)
    if plain is None or (whole and plain[2]):
        return None
    return f"write {plain[1].replace(',', '')}{plain[2] or ''}, as a number alone"


def _text(place: tuple[str | int, ...], value: object) -> str | None:
    name = place[-1]
    if isinstance(value, bool):
        return "write it in quotes: YAML reads yes, no, on and off as true or false" if "tags" in place else None
    if isinstance(value, int) and place[0] in _ACCOUNTS and name in (*_ACCOUNTS, "adopt") and len(str(value)) < 12:
        return "write all 12 digits in quotes: YAML drops a 0 in front, or reads the digits as octal"
    if isinstance(value, int | float):
        return f'write "{value}", in quotes'
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        return f"write {value[0]}, without brackets"
    if value is None:
        return "write a text" if name in keys_at(place[:-1])[1] else "write a text, or leave the key out"
    return None


def _settings(place: tuple[str | int, ...], value: object) -> str | None:
    """The keys that an object has; where it asks for one only, and a text was given, that one."""
    known, required = keys_at(place)
    if not known:
        return None
    if isinstance(value, str) and len(required) == 1:
        name = value.rpartition(":")[2].partition("/")[2] if value.startswith("arn:") else value
        return f"write {{{required[0]}: {json.dumps(name) if ':' in name or '*' in name else name}}}"
    none = ", or {} for none" if may_be_empty(place) else ""
    return f"write `key: value` lines below it, with keys such as {', '.join(known[:6])}{none}"
