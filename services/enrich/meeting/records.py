"""What is said of people and topics as records of schemas ``tie``, ``meeting`` and ``trend``. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from services.common.model import EPOCH
from services.enrich.meeting.introductions import MODEL, Meeting, Place
from services.enrich.meeting.same_work import SameWork
from services.enrich.meeting.things import Things
from services.enrich.meeting.ties import Tie
from services.enrich.meeting.trends import WEEK, Trend

Record = dict[str, Any]


def pair_key(pair: tuple[str, str]) -> str:
    """Return the key of two people in ``tie.v1`` and ``meeting.v1``."""
    return " ".join(pair)


def tie_record(tie: Tie, things: Things) -> Record:
    """Return a tie; what was withdrawn is not among its objects."""
    there = (things.get(key) for key in tie.objects)
    return {
        "pair": pair_key(tie.pair),
        "strength": tie.strength,
        "kind": tie.kind.value,
        "objects": [thing.key for thing in there if thing and not thing.withdrawn],
        "first": _moment(tie.first),
        "last": _moment(tie.last),
    }


def meeting_record(meeting: Meeting, links: str, at: int, *, held_out: bool) -> Record:
    """Return a meeting as of ``at`` (micros); ``links`` is the name of the weights of links."""
    return {
        "pair": pair_key(meeting.pair),
        "people": list(meeting.pair),
        "score": meeting.score,
        "terms": meeting.terms,
        "ground": [
            {"places": _places(one.places), "words": list(one.words), "likeness": one.likeness}
            for one in meeting.ground
        ],
        "introducers": [{"person": one.person, "places": _places(one.places)} for one in meeting.introducers],
        "withdrawn": False,
        "heldOut": held_out,
        "model": f"{MODEL} {links}",
        "published": _moment(at),
    }


def no_meeting(pair: tuple[str, str], at: int) -> Record:
    """Return the record that takes a meeting back; it names no ground and nobody else."""
    return {"pair": pair_key(pair), "people": list(pair), "withdrawn": True, "published": _moment(at)}


def trend_record(trend: Trend) -> Record:
    """Return a trend."""
    parts: list[Record] = [
        {
            "container": part.container,
            "count": part.count,
            "expected": part.expected,
            "people": len(part.people),
            "objects": list(part.objects),
        }
        for part in trend.parts
    ]
    return _trend(trend.kind, trend.topic, trend.topic, trend.window, trend.score, [trend.topic], parts)


def same_work_record(one: SameWork, window: int) -> Record:
    """Return two containers on the same work as of the week of ``window``; the score is their likeness."""
    parts: list[Record] = [
        {"container": container, "count": len(objects), "expected": 0.0, "people": people, "objects": list(objects)}
        for container, objects, people in zip(one.containers, one.objects, one.people, strict=True)
    ]
    return _trend("same-work", " ".join(one.containers), ", ".join(one.words), window, one.likeness, one.words, parts)


def _trend(
    kind: str, id_: str, label: str, window: int, score: float, words: Iterable[str], parts: list[Record]
) -> Record:
    return {
        "id": id_,
        "label": label,
        "windowStart": _moment(window),
        "windowEnd": _moment(window + WEEK),
        "count": sum(part["count"] for part in parts),
        "expected": sum(part["expected"] for part in parts),
        "score": score,
        "containers": [part["container"] for part in parts],
        "objects": list(dict.fromkeys(object_id for part in parts for object_id in part["objects"])),
        "kind": kind,
        "words": list(words),
        "parts": parts,
    }


def _places(places: Iterable[Place]) -> list[Record]:
    return [{"object": place.object, "container": place.container} for place in places]


def _moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)
