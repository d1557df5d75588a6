"""Templated questions in the words of the rule engine, with answers from the boxes of a frame.

A *view* is what is known about one (possibly cropped) frame: which channels have visible boxes, which
are known to be absent, and which counts can be trusted. ``ask`` draws questions from it; nothing is
asked whose answer is not known.
"""

import random
import re
from dataclasses import dataclass, field

from labels import BAGS, COUNTABLE, GROUPS, MAX_COUNT, NOUNS, OBJECTS

PREPOSITIONS = ["in", "at", "on", "near", "by", "behind", "inside", "outside", "beside", "under",
                "in front of", "next to", "around"]
PLACES = [
    "till", "counter", "crane", "kitchen", "station platform", "platform", "loading dock", "entrance",
    "exit", "gate", "west gate", "north door", "yard", "driveway", "lobby", "corridor", "warehouse",
    "aisle", "aisle 4", "bay 3", "bay 2", "rack b3 area", "rack area", "car park", "parking lot",
    "street", "road", "crossing", "pavement", "sidewalk", "terrace", "garden", "office", "store room",
    "shop", "shelf", "control room", "server room", "roof", "stairs", "escalator", "lift", "hall",
    "hallway", "waiting room", "waiting area", "passport control", "check in desk", "security check",
    "ticket office", "ticket machine", "reception", "bench", "track", "rails", "tunnel", "bridge",
    "fence", "door", "window", "table", "machine", "conveyor", "line", "robot cell",
    "packing station", "workshop", "building site", "scaffold", "pool", "beach", "playground",
    "camera", "forecourt", "pump", "bus stop", "bus lane", "cycle lane", "roundabout", "junction",
    "gate 4", "gate 12", "zone", "area", "restricted zone", "red line", "barrier", "turnstile",
    "concourse", "baggage belt", "baggage carousel", "picture", "image", "scene", "frame", "view",
]
_NO_ARTICLE = {"passport control", "aisle 4", "bay 3", "bay 2", "gate 4", "gate 12", "reception"}
QUEUE_WORDS = ["queue", "queue", "queue", "line"]

# (words of the question, attribute channel that says yes)
# Wordings of the forms in model.toml: "{noun} {qualifiers}" as a rule states its concept.
FORM_SHARE = 0.4
QUALIFIERS = {
    "hard_hat": ["wearing hard hat"], "no_hard_hat": ["not wearing hard hat"],
    "safety_vest": ["wearing safety vest"], "no_safety_vest": ["not wearing safety vest"],
    "lying": ["lying", "lying on the floor", "fallen"],
}

ATTRIBUTE_QUESTIONS = [
    ("not wearing a hard hat", "no_hard_hat"), ("without a hard hat", "no_hard_hat"),
    ("not wearing a helmet", "no_hard_hat"), ("without a helmet", "no_hard_hat"),
    ("wearing a hard hat", "hard_hat"), ("with a hard hat", "hard_hat"),
    ("wearing a helmet", "hard_hat"),
    ("not wearing a safety vest", "no_safety_vest"), ("without a safety vest", "no_safety_vest"),
    ("not wearing a high visibility vest", "no_safety_vest"),
    ("wearing a safety vest", "safety_vest"), ("with a safety vest", "safety_vest"),
    ("lying on the floor", "lying"), ("lying on the ground", "lying"), ("lying down", "lying"),
    ("lying", "lying"), ("who has fallen", "lying"),
]
UNATTENDED_WORDS = ["unattended", "unattended", "stranded", "abandoned", "left behind"]


@dataclass
class View:
    """What is known about one frame.

    ``present``: channels with a visible box. ``absent``: channels known to have none. ``counts``:
    trusted number of boxes per channel. ``queue``: people in the queue, or None where unknown.
    """

    present: set = field(default_factory=set)
    absent: set = field(default_factory=set)
    counts: dict = field(default_factory=dict)
    queue: int | None = None

    def has(self, concept):
        """True, False or None (unknown) for a class, a group or an attribute channel."""
        members = GROUPS.get(concept, (concept,))
        if any(m in self.present for m in members):
            return True
        return False if all(m in self.absent for m in members) else None

    def count(self, concept):
        """The trusted number of objects, or None."""
        members = GROUPS.get(concept, (concept,))
        parts = [self.counts.get(m) for m in members]
        return None if any(p is None for p in parts) else sum(parts)


def place_phrase(rng, chance=0.6):
    """A random place the whole frame is meant by, with a leading space, or nothing."""
    if rng.random() > chance:
        return ""
    place = rng.choice(PLACES)
    article = "" if place in _NO_ARTICLE or rng.random() < 0.1 else "the "
    return f" {rng.choice(PREPOSITIONS)} {article}{place}"


def yes_no_form(concept):
    """The wording of ``yes_no_form`` in model.toml."""
    return f"Is there a {concept}?"


def count_form(concept):
    """The wording of ``count_form`` in model.toml."""
    return f"How many {concept} are there?"


def bare_noun(rng, concept):
    """A singular noun of the class without its article."""
    return re.sub(r"^an? ", "", rng.choice(NOUNS[concept])[0])


def presence_question(rng, concept, place=None):
    """Such as "Is there a car at the loading dock?"""
    if place is None and rng.random() < FORM_SHARE:
        return yes_no_form(bare_noun(rng, concept))
    noun = rng.choice(NOUNS[concept])[0]
    place = place_phrase(rng) if place is None else place
    return f"Is there {noun}{place}?"


def attribute_question(rng, words, channel, place=None):
    """Such as "Is there a person not wearing a hard hat near the crane?"""
    if place is None and rng.random() < FORM_SHARE:
        return yes_no_form(f"{rng.choice(['person', 'worker'])} {rng.choice(QUALIFIERS[channel])}")
    noun = rng.choice(["a person", "a person", "a worker", "someone"])
    place = place_phrase(rng) if place is None else place
    return f"Is there {noun} {words}{place}?"


def unattended_question(rng, place=None):
    """Such as "Is there an unattended bag on the station platform?"""
    if place is None and rng.random() < FORM_SHARE:
        return yes_no_form(f"{rng.choice(['bag', 'suitcase', 'bag'])} unattended")
    word = rng.choice(UNATTENDED_WORDS)
    noun = rng.choice(["bag", "bag", "bag", "suitcase", "piece of luggage", "luggage"])
    place = place_phrase(rng, 0.8) if place is None else place
    if word == "left behind":
        return f"Is there a {noun} left behind{place}?"
    return f"Is there {'an' if word[0] in 'aeiou' else 'a'} {word} {noun}{place}?"


def count_question(rng, concept, place=None):
    """Such as "How many cars are there?" or "How many cars are at the loading dock?"""
    if place is None and rng.random() < FORM_SHARE:
        return count_form(bare_noun(rng, concept))
    noun = rng.choice(NOUNS[concept])[1]
    place = place_phrase(rng, 0.5) if place is None else place
    return f"How many {noun} are{place or ' there'}?"


def queue_question(rng, place=None):
    """Such as "How many people are in the queue at passport control?"""
    if place is None and rng.random() < FORM_SHARE:
        return count_form("person in queue")
    place = place_phrase(rng, 0.8) if place is None else place
    return f"How many people are in the {rng.choice(QUEUE_WORDS)}{place}?"


def queue_presence_question(rng):
    """Such as "Is there a person in the queue at passport control?"""
    if rng.random() < FORM_SHARE:
        return yes_no_form("person in queue")
    return f"Is there a person in the queue{place_phrase(rng, 0.8)}?"


def ask(view, rng, number, negative_weight):
    """Draws ``number`` (question, answer, kind) triples whose answers are known.

    ``negative_weight`` maps a concept to how often to ask about it where it is absent, so that
    "yes" and "no" are about equally likely for each concept over the whole data.
    """
    concepts = OBJECTS + list(GROUPS)
    yes = [c for c in concepts if view.has(c) is True]
    no = [c for c in concepts if view.has(c) is False]
    countable = [c for c in COUNTABLE if view.count(c) is not None and view.count(c) <= MAX_COUNT]
    many = [c for c in countable if view.count(c) > 0]
    attributes = [(w, a, view.has(a)) for w, a in ATTRIBUTE_QUESTIONS
                  if view.has(a) is not None]
    triples = []

    def presence():
        if yes and (not no or rng.random() < 0.5):
            return presence_question(rng, rng.choice(yes)), "yes", "presence"
        if no:
            weights = [negative_weight.get(c, 1.0) for c in no]
            concept = rng.choices(no, weights)[0]
            return presence_question(rng, concept), "no", "presence"
        return None

    def count():
        pool = many if many and (rng.random() < 0.75) else countable
        if not pool:
            return None
        concept = rng.choice(pool)
        return count_question(rng, concept), str(view.count(concept)), "count"

    def special():
        options = []
        if view.queue is not None and view.queue <= MAX_COUNT:
            options += ["queue"] * 3 + ["queue_presence"]
        if view.has("unattended") is not None:
            options += ["unattended", "unattended"]
        if attributes:
            options += ["attribute", "attribute"]
        if not options:
            return None
        pick = rng.choice(options)
        if pick == "queue":
            return queue_question(rng), str(view.queue), "count"
        if pick == "queue_presence":
            return queue_presence_question(rng), "yes" if view.queue > 0 else "no", "presence"
        if pick == "unattended":
            return unattended_question(rng), "yes" if view.has("unattended") else "no", "presence"
        wanted = rng.random() < 0.5
        pool = [a for a in attributes if a[2] is wanted] or attributes
        words, channel, truth = rng.choice(pool)
        return attribute_question(rng, words, channel), "yes" if truth else "no", "presence"

    makers = [special, presence, count]
    for i in range(number):
        triple = makers[i % len(makers)]() or presence() or count()
        if triple:
            triples.append(triple)
    return triples


def vocabulary():
    """All words of the questions and answers, sorted, without special tokens."""
    texts = [" ".join(PREPOSITIONS), " ".join(PLACES), " ".join(QUEUE_WORDS),
             " ".join(UNATTENDED_WORDS), " ".join(w for w, _ in ATTRIBUTE_QUESTIONS),
             " ".join(" ".join(pair) for nouns in NOUNS.values() for pair in nouns),
             "is there are how many a an the someone somebody anyone anybody worker in of with "
             "user assistant yes no unattended bag luggage piece suitcase people person left behind "
             "any red blue white black yellow green orange large small empty open closed moving "
             "standing sitting walking running parked waiting fallen using carrying holding",
             " ".join(str(n) for n in range(MAX_COUNT + 1)), ": ? . , -"]
    return sorted(set(re.findall(r"\w+|[^\w\s]+", " ".join(texts).lower())))


def make_rng(*seed):
    """A Python random generator that depends on the seeds alone."""
    return random.Random(":".join(str(s) for s in seed))


__all__ = ["View", "ask", "vocabulary", "make_rng", "BAGS"]
