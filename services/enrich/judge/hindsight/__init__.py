"""Hindsight: what the product would have shown in a year that is over, as a page to read before one decides."""

from services.enrich.judge.evaluation import Asked, replay, report
from services.enrich.judge.hindsight.page import page
from services.enrich.judge.hindsight.shown import shown
from services.enrich.judge.products import OURS
from services.enrich.judge.reading import Told


def written(asked: Asked, most: int, told: Told, *, name_people: bool = False) -> str:
    """Return the page as HTML. Raises Stop when the file cannot be judged."""
    replayed = replay(asked, told, groups=True)
    scores = {start: answers[OURS] for start, answers in replayed.answers.items()}
    found = shown(replayed.world, replayed.weeks, scores, most)
    return page(replayed, found, report(replayed, told), OURS, most, name_people=name_people)
