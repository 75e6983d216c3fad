"""The language of rules: ``if CONDITION then ACTION``. Total: every text is a rule or an error that says where.

The grammar stands in ``grammar.lark``; a rule becomes a condition of the index, so that it holds for exactly what the
dry run has shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, cast

from lark import Lark, Token, UnexpectedInput
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken
from lark.visitors import Transformer_NonRecursive

from services.common.search.conditions import Condition, Either, Every, Has, Not, Says, depth, leaves

LONGEST = 2_000
CONDITIONS: Mapping[str, str] = {
    "tag NAME": "has the tag",
    "from PERSON": "somebody did it, by the id in their address; me is you, bots are automated accounts",
    "in PLACE": "happened there, at any depth; by the id in its address",
    "says TEXT": "a search for the text finds it",
    "mentions PERSON": "somebody is mentioned; me is you",
    "source NAME": "comes from a source, such as git",
    "type TYPE": "is of a type, such as Create or Update",
    "verb VERB": "is of a finer type, such as pull.merge",
    "anything": "everything",
}
"""What a rule can ask for, as it is written."""
ACTIONS: Mapping[str, str] = {
    "notify": "puts it into your notifications",
    "mark LABEL": "gives it the label in your feeds",
    "mute": "leaves it out of your feeds and notifications, and sends nothing of it",
    "mail": "puts it into your digest by mail",
    "webhook URL": "posts it to the URL, signed",
}
"""What a rule can do, as it is written."""
_DEPTH = 12
_LEAVES = 50
ME = "me"


class NoRule(Exception):
    """The text is no rule; the sentence says where and what was expected. ``column`` counts from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class Action:
    """What is done with what the condition holds for; ``label`` is that of a mark, or the address of a webhook."""

    kind: Literal["notify", "mute", "mark", "mail", "webhook"]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of one person."""

    condition: Condition
    actions: Sequence[Action]

    def does(self, kind: str) -> bool:
        """Return whether an action is among those of the rule."""
        return any(one.kind == kind for one in self.actions)

    @property
    def webhook(self) -> str:
        """The address that the rule sends to; empty for one that sends nothing."""
        return next((one.label for one in self.actions if one.kind == "webhook"), "")


def parse(text: str, person: str) -> Rule:
    """Return a rule of a person, who is "me" in it; raises NoRule.

    >>> parse("if tag incident and not from bots then notify", "ann").actions
    (Action(kind='notify', label=''),)
    """
    if len(text) > LONGEST:
        raise NoRule(f"a rule has at most {LONGEST} characters, this one {len(text)}", LONGEST + 1)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    rule = cast(Rule, _Compiler(person).transform(tree))
    if sum(1 for one in rule.actions if one.kind == "webhook") > 1:
        raise NoRule("a rule sends to one address; make another rule for the other", 1)
    if depth(rule.condition) > _DEPTH or sum(1 for _ in leaves(rule.condition)) > _LEAVES:
        raise NoRule(f"a rule asks for at most {_LEAVES} things, {_DEPTH} deep within each other", 1)
    return rule


@cache
def _parser() -> Lark:
    text = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", maybe_placeholders=False)


_WORDS = {
    "STRING": "a text in quotes",
    "WORD": "a word",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "$END": "the end",
}


def _explained(error: UnexpectedInput, text: str) -> NoRule:
    if isinstance(error, UnexpectedToken):
        expected, at = error.accepts or error.expected, _column(error, text)
    elif isinstance(error, UnexpectedCharacters):
        expected, at = error.allowed or set(), _column(error, text)
    else:
        expected, at = set(cast(UnexpectedEOF, error).expected), len(text) + 1
    wanted = ", ".join(sorted(_WORDS.get(name, name.lower()) for name in expected)) or "nothing more"
    found = text[at - 1 :].split()
    here = f"{found[0][:40]!r} is not understood" if found else "the rule ends too early"
    return NoRule(f"at character {at} {here}; expected is one of: {wanted}", at)


def _column(error: UnexpectedInput, text: str) -> int:
    at = getattr(error, "pos_in_stream", None)
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    return len(text) + 1 if ended or at is None else at + 1


class _Compiler(Transformer_NonRecursive):  # type: ignore[type-arg]  # its parameters are the tree's, which nobody here sees
    """Turns the tree into a rule, from the leaves up. Method names are those of the grammar."""

    def __init__(self, person: str) -> None:
        super().__init__()
        self._person = person

    def start(self, parts: list[Condition | Action]) -> Rule:
        actions = tuple(one for one in parts if isinstance(one, Action))
        return Rule(cast(Condition, parts[0]), actions)

    def either(self, parts: list[Condition]) -> Condition:
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def every(self, parts: list[Condition]) -> Condition:
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def negation(self, parts: list[Condition]) -> Condition:
        return Not(parts[0])

    def tag(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("tags", parts[0])

    def from_bots(self, _: list[str]) -> Condition:
        return Has("automated", ("true",))

    def from_people(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("people", self._people(parts[0]))

    def in_places(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("context", parts[0])

    def source(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("source", parts[0])

    def type(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("type", parts[0])

    def verb(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("verb", parts[0])

    def says(self, parts: list[str]) -> Condition:
        return Says(parts[0])

    def mentions(self, parts: list[tuple[str, ...]]) -> Condition:
        return Has("mentions", self._people(parts[0]))

    def anything(self, _: list[str]) -> Condition:
        return Every()

    def notify(self, _: list[str]) -> Action:
        return Action("notify")

    def mute(self, _: list[str]) -> Action:
        return Action("mute")

    def mark(self, parts: list[str]) -> Action:
        return Action("mark", parts[0])

    def mail(self, _: list[str]) -> Action:
        return Action("mail")

    def webhook(self, parts: list[str]) -> Action:
        return Action("webhook", parts[0])

    def values(self, parts: list[str]) -> tuple[str, ...]:
        return tuple(parts)

    def value(self, parts: list[Token]) -> str:
        return str(parts[0]).strip('"') if parts[0].type == "STRING" else str(parts[0])

    def _people(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._person if one.lower() == ME else one for one in names)
