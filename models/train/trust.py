"""Which classes and attributes a package may answer for, judged by its evaluation."""

from labels import OBJECTS

MIN_BALANCED = 0.55
MIN_AUC = 0.65
MIN_POSITIVES = 15
"""A class or attribute is trusted from this balanced accuracy (at 0.5), this area under the ROC curve and this
many positives and negatives on: clearly better than chance, no more. A first model is let in at a low door."""

QUALIFIER_NAMES = {
    "hard_hat": ["wearing hard hat"], "no_hard_hat": ["not wearing hard hat"],
    "safety_vest": ["wearing safety vest"], "no_safety_vest": ["not wearing safety vest"],
    "lying": ["lying", "lying on the floor"],
}


def good(figures):
    """Whether figures of a yes/no question clearly beat chance."""
    return (figures["positives"] >= MIN_POSITIVES and figures["negatives"] >= MIN_POSITIVES
            and figures["balanced_accuracy"] >= MIN_BALANCED and (figures["auc"] or 0) >= MIN_AUC)


def concepts(evaluation):
    """Which nouns and qualifiers the package answers for, and the classes its detections may be used for."""
    real, drawn = evaluation["real"], evaluation.get("rendered") or {}
    sources = [real["presence"], real["presence_weak"], drawn.get("presence", {})]
    listed, seen = {}, []
    for label in [*OBJECTS, "bag", "vehicle"]:
        figures = [s[label] for s in sources if label in s]
        if any(good(f["language"]) for f in figures):
            listed[label] = []
        if label in OBJECTS and any(good(f["detector"]) for f in figures):
            seen.append(label)
    for channel, names in QUALIFIER_NAMES.items():
        if channel in real["attributes"] and good(real["attributes"][channel]):
            listed.setdefault("person", []).extend(names)
    queue = drawn.get("count", {}).get("queue")
    if queue and queue["language"]["mae"] < 0.75 * queue["majority"]["mae"]:
        listed.setdefault("person", []).append("in queue")
    if "unattended" in drawn.get("attributes", {}) and good(drawn["attributes"]["unattended"]):
        for noun in ("bag", "suitcase"):
            listed.setdefault(noun, []).append("unattended")
    # A detector needs at least one class; an untrained one (a smoke run) keeps the first.
    return listed, seen or OBJECTS[:1]
