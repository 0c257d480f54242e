"""Read a rules document into frozen dataclasses: every key wanted, none unknown, each of the type it should have.

Belongs here: the form of a document, and what is said of a section that nobody knows. What the sections mean is
:mod:`f1_pipeline.game.rules` and the modules it names.
"""

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, get_args, get_origin, get_type_hints

from f1_pipeline.errors import RuleError

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class UnknownRules:
    """A section whose rules no source settles; asking it for one is an error that tells the note.

    Any section may say that it is unknown. No type hint of a section names this class, for nothing can be done with it
    that could be done with the section.

    Parameters
    ----------
    kind
        "unknown".
    note
        What is unknown, and what sources say.
    """

    kind: str
    note: str

    def __getattr__(self, name: str) -> NoReturn:
        """Refuse to make up a rule.

        Raises
        ------
        RuleError
            Always, but for names that Python itself looks for.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuleError(f"The rule {name} is unknown: {self.note}")


def build(kind: Any, content: Mapping[str, Any], file_name: str, kinds: Mapping[str, type], prefix: str = "") -> Any:
    """Build a dataclass from a document, or from a section of one.

    Parameters
    ----------
    kind : dataclass
        What to build; its fields are the keys, its type hints what they hold.
    content : mapping
        Keys and values as ``tomllib`` reads them.
    file_name : str
        Opens every message.
    kinds : mapping of str to type
        Dataclass by the ``kind`` that a section states, where several are possible.
    prefix : str
        Key of the section with a dot behind it, empty for the document.

    Returns
    -------
    Any
        An instance of ``kind``.

    Raises
    ------
    RuleError
        A key is missing, unknown or of the wrong type; the message names file and key.
    """
    names = [field.name for field in dataclasses.fields(kind)]
    for key in content:
        if key not in names:
            raise RuleError(f"{file_name}: unknown key {prefix}{key}; expected {', '.join(names)}.")
    for name in names:
        if name not in content:
            raise RuleError(f"{file_name}: missing key {prefix}{name}.")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], content[name], file_name, kinds, f"{prefix}{name}") for name in names})


def _value(hint: Any, value: Any, file_name: str, kinds: Mapping[str, type], key: str) -> Any:
    if isinstance(hint, types.UnionType) or dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise RuleError(f"{file_name}: key {key}: expected a section, found {value!r}.")
        if value.get("kind") == _UNKNOWN:
            return build(UnknownRules, value, file_name, kinds, f"{key}.")
        return build(_section_kind(hint, value, file_name, kinds, key), value, file_name, kinds, f"{key}.")
    if get_origin(hint) is tuple:
        if not isinstance(value, list) or not value:
            raise RuleError(f"{file_name}: key {key}: expected a list, found {value!r}.")
        item = get_args(hint)[0]
        return tuple(_value(item, part, file_name, kinds, f"{key}[{index}]") for index, part in enumerate(value))
    if type(value) is not hint:
        raise RuleError(f"{file_name}: key {key}: expected {hint.__name__}, found {value!r}.")
    return value


def _section_kind(hint: Any, value: Mapping[str, Any], file_name: str, kinds: Mapping[str, type], key: str) -> type:
    if not isinstance(hint, types.UnionType):
        return hint
    stated = value.get("kind")
    possible = {name: kind for name, kind in kinds.items() if kind in get_args(hint)}
    if not isinstance(stated, str) or stated not in possible:
        raise RuleError(
            f"{file_name}: key {key}.kind: expected {' or '.join([*possible, _UNKNOWN])}, found {stated!r}."
        )
    return possible[stated]
