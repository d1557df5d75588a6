"""Asks an exported package about held-out images, calibrates it, and measures both heads.

Calibration uses only images held out of the *training* split; the figures come from the validation
split as given. Every answer runs through the exported graphs in ONNX Runtime.
"""

import argparse
import json
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from data import INPUT_SIZE, MAX_BOXES, MIN_HEIGHT, RENDERED, SIZES, cached_images, load_rows
from labels import COUNTABLE, GROUPS, MAX_COUNT, OBJECTS
from metrics import auc, binary, calibration_error, counting, platt, sigmoid
from questions import (ATTRIBUTE_QUESTIONS, QUALIFIERS, count_form, count_question, make_rng,
                       presence_question, unattended_question, queue_question, yes_no_form)
from runtime import Package

CONCEPTS = OBJECTS + list(GROUPS)
SENTENCE_EVERY = 4
"""Every so manyth image is asked in whole sentences too."""
WEAK_CLASSES = ("forklift", "fire", "smoke", "parcel", "pallet")


def truth_of(row, concept):
    """(True | False | None, weak): whether a concept is in the image, and how well that is known."""
    members = GROUPS.get(concept, (concept,))
    if any(m in c for m in members for c in row.channels):
        return True, False
    if all(m in row.absent for m in members):
        return False, False
    if all(m in row.absent or m in row.weak_absent for m in members):
        return False, True
    return None, False


def count_of(row, concept):
    """The number of boxes where a person labelled them all, else None."""
    members = GROUPS.get(concept, (concept,))
    if not all(m in row.complete for m in members):
        return None
    heights = [b[3] for b, c in zip(row.boxes, row.channels) if any(m in c for m in members)]
    limit = MAX_COUNT if row.set_name == RENDERED else MAX_BOXES
    if len(heights) > limit or any(h < MIN_HEIGHT for h in heights):
        return None
    return len(heights)


def questions_of(row, rng, sentences):
    """Dicts of all questions with known answers: concept, kind, form, ask, truth, weak.

    With ``sentences`` each is asked a second time in the words of a rule with a place.
    """
    found = []

    def add(kind, concept, ask, truth, weak=False, form="package"):
        if form == "package" or sentences:
            found.append({"kind": kind, "concept": concept, "ask": ask, "truth": truth, "weak": weak, "form": form})

    for concept in CONCEPTS:
        truth, weak = truth_of(row, concept)
        if truth is not None:
            add("presence", concept, yes_no_form(concept), truth, weak)
            add("presence", concept, presence_question(rng, concept, " at the loading dock"), truth, weak, "sentence")
    for concept in COUNTABLE:
        truth = count_of(row, concept)
        if truth is not None:
            add("count", concept, count_form(concept), truth)
            add("count", concept, count_question(rng, concept, " in the lobby"), truth, False, "sentence")
    for channel, words in QUALIFIERS.items():
        truth, _ = truth_of(row, channel)
        if truth is not None:
            add("attribute", channel, yes_no_form(f"person {words[0]}"), truth)
            sentence = next(w for w, c in ATTRIBUTE_QUESTIONS if c == channel)
            add("attribute", channel, f"Is there a person {sentence} near the crane?", truth, False, "sentence")
    if row.sums:
        queue, truth = row.sums["in_queue"], row.sums["unattended"] > 0
        add("count", "queue", count_form("person in queue"), queue)
        add("count", "queue", queue_question(rng, " at passport control"), queue, False, "sentence")
        add("attribute", "unattended", yes_no_form("bag unattended"), truth)
        add("attribute", "unattended", unattended_question(rng, " on the station platform"), truth, False, "sentence")
    return found


def ask_all(folder, rows, images):
    """All answers: one record a question with its log-odds or count probabilities, and detections. Two processes share the work."""
    records, detections = [], []
    with Pool(2, _start_asking, (folder, rows, images)) as pool:
        for i, (asked, found) in enumerate(pool.imap(_ask_one, range(len(rows)), chunksize=8)):
            records += asked
            detections.append(found)
            if i % 200 == 199:
                print(f"  {i + 1} of {len(rows)} images asked", flush=True)
    return records, detections


def _start_asking(folder, rows, images):
    global _asking
    _asking = Package(folder), rows, images


def _ask_one(i):
    package, rows, images = _asking
    row = rows[i]
    ids = package.tokenizer.token_to_id
    yes, no = ids("yes"), ids("no")
    numbers = [ids(str(n)) for n in range(MAX_COUNT + 1)]
    pixels = images[i].astype(np.float32).transpose(2, 0, 1)[None, None] / 127.5 - 1.0
    features, found = package.encode(pixels)
    prefix = package.prefill(features[0])
    rng = make_rng("evaluate", row.path.rsplit("/", 1)[-1])
    asked = questions_of(row, rng, sentences=i % SENTENCE_EVERY == 0 or bool(row.sums))
    for q in asked:
        logits = package.ask_logits(prefix, q["ask"]).astype(float)
        q["row"], q["set"] = i, row.set_name
        if q["kind"] == "count":
            logits = logits[numbers]
            q["score"] = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        else:
            q["score"] = logits[yes] - logits[no]
    return asked, found[0][found[0][:, 4] > 0.003]


def matched(found, row, label):
    """For the detections of a class, best first: whether each is a true object (IoU >= 0.4, once each)."""
    index = OBJECTS.index(label)
    mine = found[found[:, 5] == index]
    mine = mine[np.argsort(-mine[:, 4])]
    truth = [b for b, c in zip(row.boxes, row.channels) if label in c]
    free, hits = list(range(len(truth))), []
    for x, y, w, h, _, _ in mine:
        best, at = 0.4, None
        for k in free:
            bx, by, bw, bh = truth[k]
            iw = max(0, min(x + w, bx + bw) - max(x, bx))
            ih = max(0, min(y + h, by + bh) - max(y, by))
            iou = iw * ih / max(w * h + bw * bh - iw * ih, 1e-9)
            if iou >= best:
                best, at = iou, k
        hits.append(at is not None)
        if at is not None:
            free.remove(at)
    return mine, hits


def logit(p):
    """Log-odds of a probability, bounded."""
    p = np.clip(p, 1e-5, 1 - 1e-5)
    return np.log(p / (1 - p))


def sure(row, label):
    """Whether all boxes of a class are known in the image. The renderer's own pictures show what it draws and no more."""
    return label in row.complete or label in row.absent or (row.set_name == RENDERED and label in row.weak_absent)


def calibrate(records, detections, rows):
    """Temperature and bias for yes/no questions, counts and detections, from held-out training images."""
    result = {"yes_no": {}, "nouns": {}, "count": {"temperature": 1.0}, "detector": {}}
    asked = [r for r in records if r["form"] == "package" and r["kind"] in ("presence", "attribute")]
    xs, ts = np.array([r["score"] for r in asked]), np.array([r["truth"] for r in asked])
    t, b = platt(xs, ts, balanced=True)
    result["yes_no"] = {"temperature": t, "bias": b}
    for concept in CONCEPTS:
        mine = [r for r in asked if r["concept"] == concept and r["kind"] == "presence"]
        truth = np.array([r["truth"] for r in mine], bool)
        if truth.sum() >= 20 and (~truth).sum() >= 20:
            t, b = platt([r["score"] for r in mine], truth, balanced=True)
            result["nouns"][concept] = {"temperature": t, "bias": b}
    counts = [r for r in records if r["form"] == "package" and r["kind"] == "count"]
    best = None
    for temperature in np.geomspace(0.5, 3.0, 25):
        loss = 0.0
        for r in counts:
            logp = np.log(r["score"] + 1e-12) / temperature
            loss -= logp[r["truth"]] - np.log(np.exp(logp - logp.max()).sum()) - logp.max()
        if best is None or loss < best[0]:
            best = (loss, float(temperature))
    result["count"]["temperature"] = best[1]
    pooled_x, pooled_t, per_class = [], [], {}
    for label in OBJECTS:
        x, t = [], []
        for row, found in zip(rows, detections):
            if sure(row, label):
                mine, hits = matched(found, row, label)
                x += list(logit(mine[:, 4]))
                t += hits
        per_class[label] = (x, t)
        pooled_x += x
        pooled_t += t
    temperature, bias = platt(pooled_x, pooled_t, balanced=False)
    result["detector"]["default"] = {"temperature": temperature, "bias": bias}
    for label, (x, t) in per_class.items():
        if sum(t) >= 10 and len(t) - sum(t) >= 10:
            temperature, bias = platt(x, t, balanced=False)
            result["detector"][label] = {"temperature": temperature, "bias": bias}
    for label in list(result["detector"]):
        threshold_for(label, result, detections, rows)
    return result


def threshold_for(label, calibration, detections, rows):
    """Sets the score below which detections are dropped, and shifts the bias towards even odds.

    Of a small grid the pair that gives the best balanced presence (decided at 0.5 that any detection is
    real) plus the share of counts within one, half of it from images with and half from images without
    the thing. Every unit of shift costs a hundredth, so that the scores stay near the natural frequency
    unless a decision gains by it.
    """
    fit = calibration["detector"][label]
    looks, truths, numbers = [], [], []
    for row, found in zip(rows, detections):
        for one in OBJECTS if label == "default" else [label]:
            truth, weak = truth_of(row, one)
            if truth is not None and (not weak or row.set_name == RENDERED):
                looks.append(logit(found[found[:, 5] == OBJECTS.index(one), 4]) / fit["temperature"] + fit["bias"])
                truths.append(truth)
                numbers.append(count_of(row, one))
    best = (-1.0, 0.0, 0.3)
    for shift in (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0):
        scores = [sigmoid(x + shift) for x in looks]
        for threshold in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
            kept = [x[x >= threshold] for x in scores]
            value = binary([presence_from(k) for k in kept], truths)["balanced_accuracy"] - 0.01 * shift
            for some in (True, False):
                near = [abs(len(k) - n) <= 1 for k, n in zip(kept, numbers) if n is not None and (n > 0) is some]
                value += 0.5 * np.mean(near) if near else 0.0
            if value > best[0]:
                best = (value, shift, threshold)
    fit["bias"] += best[1]
    fit["threshold"] = best[2]


def detector_scores(found, label, calibration):
    """Calibrated scores of the detections of a class that pass its threshold."""
    fit = calibration["detector"].get(label, calibration["detector"]["default"])
    raw = found[found[:, 5] == OBJECTS.index(label), 4]
    scores = sigmoid(logit(raw) / fit["temperature"] + fit["bias"])
    return scores[scores >= fit.get("threshold", 0.3)]


def presence_from(scores):
    """Probability that at least one of independent detections is real."""
    return 1.0 - float(np.prod(1.0 - scores)) if len(scores) else 0.0


def best_raw(found, concept):
    """The highest raw score of a class or a group."""
    labels = [OBJECTS.index(m) for m in GROUPS.get(concept, (concept,))]
    return max((float(d[4]) for d in found if int(d[5]) in labels), default=0.0)


def detector_answer(found, concept, calibration):
    """All calibrated scores of a class or a group."""
    parts = [detector_scores(found, m, calibration) for m in GROUPS.get(concept, (concept,))]
    return np.concatenate(parts)


def language_probability(record, calibration):
    """Calibrated probability of "yes"."""
    fit = calibration["yes_no"]
    if record["kind"] == "presence":
        fit = calibration["nouns"].get(record["concept"], fit)
    return float(sigmoid(record["score"] / fit["temperature"] + fit["bias"]))


def report(records, detections, calibration):
    """All figures of one split, for one group of sets."""
    out = {"presence": {}, "presence_weak": {}, "sentence_presence": {}, "attributes": {},
           "sentence_attributes": {}, "count": {}}
    everything = []
    for concept in CONCEPTS:
        mine = [r for r in records if r["concept"] == concept and r["kind"] == "presence"]
        for key, rows in (("presence", [r for r in mine if r["form"] == "package" and not r["weak"]]),
                          ("presence_weak", [r for r in mine if r["form"] == "package"]),
                          ("sentence_presence", [r for r in mine if r["form"] == "sentence" and not r["weak"]])):
            truth = [r["truth"] for r in rows]
            if min(sum(truth), len(truth) - sum(truth)) < 5:
                continue
            if key == "presence_weak" and concept not in WEAK_CLASSES:
                continue
            language = [language_probability(r, calibration) for r in rows]
            seen = [presence_from(detector_answer(detections[r["row"]], concept, calibration)) for r in rows]
            out[key][concept] = {"language": binary(language, truth), "detector": binary(seen, truth)}
            out[key][concept]["detector"]["auc"] = auc(
                [best_raw(detections[r["row"]], concept) for r in rows], truth)
            if key == "presence":
                everything += [(p, d, t) for p, d, t in zip(language, seen, truth)]
    for form, key in (("package", "attributes"), ("sentence", "sentence_attributes")):
        for channel in (*QUALIFIERS, "unattended"):
            mine = [r for r in records if r["kind"] == "attribute" and r["concept"] == channel and r["form"] == form]
            truth = [r["truth"] for r in mine]
            if min(sum(truth), len(truth) - sum(truth)) >= 5:
                out[key][channel] = binary([language_probability(r, calibration) for r in mine], truth)
    for concept in [*COUNTABLE, "queue"]:
        mine = [r for r in records if r["kind"] == "count" and r["concept"] == concept and r["form"] == "package"]
        truth = [r["truth"] for r in mine]
        if len(truth) < 10 or (max(truth) == 0):
            continue
        guess = [int(np.argmax(r["score"])) for r in mine]
        common = int(np.median(truth))
        out["count"][concept] = {
            "language": counting(guess, truth), "majority": counting([common] * len(truth), truth)}
        if concept == "queue":
            mine = [r for r in records
                    if r["kind"] == "count" and r["concept"] == concept and r["form"] == "sentence"]
            out["count"][concept]["sentence"] = counting(
                [int(np.argmax(r["score"])) for r in mine], [r["truth"] for r in mine])
        else:
            seen = [len(detector_answer(detections[r["row"]], concept, calibration)) for r in mine]
            out["count"][concept]["detector"] = counting(seen, truth)
    if everything:
        p, d, t = map(np.array, zip(*everything))
        out["calibration_error"] = {"language": calibration_error(p, t), "detector": calibration_error(d, t)}
        big = [c for c in out["presence"].values() if c["language"]["positives"] >= 50 and c["language"]["negatives"] >= 20]
        for head in ("language", "detector"):
            out[f"mean_balanced_accuracy_{head}"] = float(np.mean([c[head]["balanced_accuracy"] for c in big])) if big else None
    return out


def at_size(side, package, rows, cache, calibration):
    """Figures of the validation images at tiles of ``side`` pixels, with the calibration of the full size."""
    records, detections = ask_all(package, rows, cached_images(rows, side, cache, "val"))
    return figures(records, detections, calibration)


def figures(records, detections, calibration):
    """What an operating point is worth: ``accuracy``, the mean of ``yes_no`` and ``counts``; 0.5 is chance.

    ``yes_no`` is the mean balanced accuracy of the language head's presence over classes of real images, as in
    the card. ``counts`` is that of "more than 1, 3, 5" over what is counted, by the head that answers it on the
    camera: the detections, and the language head for queues; each wherever 20 images are on either side.
    """
    real = [r for r in records if r["set"] != RENDERED]
    told = report(real, detections, calibration)
    verdicts, errors = [], {}
    for rows, where in ((real, "real"), ([r for r in records if r["set"] == RENDERED], "rendered")):
        for concept in [*COUNTABLE, "queue"]:
            mine = [r for r in rows if r["kind"] == "count" and r["concept"] == concept and r["form"] == "package"]
            if concept == "queue":
                guess = [int(np.argmax(r["score"])) for r in mine]
            else:
                guess = [len(detector_answer(detections[r["row"]], concept, calibration)) for r in mine]
            guess, truth = np.array(guess), np.array([r["truth"] for r in mine])
            for n in (1, 3, 5):
                if min((truth > n).sum(), (truth <= n).sum()) >= 20:
                    verdicts.append(binary((guess > n).astype(float), truth > n)["balanced_accuracy"])
                    errors[f"{where} {concept}"] = counting(guess, truth)["mae"]
    yes_no = told.get("mean_balanced_accuracy_language")
    counts = float(np.mean(verdicts)) if verdicts else None
    both = [v for v in (yes_no, counts) if v is not None]
    return {"accuracy": float(np.mean(both)) if both else None, "yes_no": yes_no, "counts": counts,
            "verdicts": len(verdicts), "count_error": errors}


def queue_alarm(records, calibration):
    """How often "more than three in the queue" is rightly said or denied, by the true length, in rendered stills."""
    out = {}
    for r in records:
        if r["concept"] == "queue" and r["form"] == "package":
            p = r["score"] ** (1 / calibration["count"]["temperature"])
            cell = out.setdefault(str(r["truth"]), {"stills": 0, "more_than_3": 0.0})
            cell["stills"] += 1
            cell["more_than_3"] += float(p[4:].sum() / p.sum() > 0.5)
    for cell in out.values():
        cell["more_than_3"] /= cell["stills"]
    return dict(sorted(out.items(), key=lambda x: int(x[0])))


def rounded(tree):
    """Floats to four digits, NaN to null, for JSON."""
    if isinstance(tree, dict):
        return {k: rounded(v) for k, v in tree.items()}
    if isinstance(tree, float):
        return None if np.isnan(tree) else round(tree, 4)
    return tree


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rendered")
    parser.add_argument("--cache", required=True)
    parser.add_argument("--limit", type=int, help="ask about this many images of each part only")
    parser.add_argument("--out", required=True, help="evaluation JSON; calibration.json goes beside it")
    args = parser.parse_args()
    rows = load_rows(args.data, args.rendered)
    results = {}
    for name in ("holdout", "val"):
        part = [r for r in rows if r.split == name]
        if args.limit:
            part = part[:: max(1, len(part) // args.limit)]
        print(f"{name}: {len(part)} images", flush=True)
        results[name] = (part, *ask_all(args.package, part, cached_images(part, INPUT_SIZE, args.cache, name)))
    part, records, detections = results["holdout"]
    calibration = calibrate(records, detections, part)
    held = report([r for r in records if r["set"] != RENDERED], detections, calibration)
    part, records, detections = results["val"]
    evaluation = {"images": len(part), "holdout_images": len(results["holdout"][0]), "holdout": {
        k: v for k, v in held.items() if k.startswith("mean") or k == "calibration_error"}}
    real = [r for r in records if r["set"] != RENDERED]
    evaluation["real"] = report(real, detections, calibration)
    drawn = [r for r in records if r["set"] == RENDERED]
    evaluation["rendered"] = report(drawn, detections, calibration) if drawn else None
    evaluation["queue_alarm"] = queue_alarm(drawn, calibration)
    evaluation["sizes"] = {str(INPUT_SIZE): figures(records, detections, calibration)}
    for side in SIZES:
        print(f"val at {side} pixels", flush=True)
        evaluation["sizes"][str(side)] = at_size(side, args.package, part, args.cache, calibration)
    out = Path(args.out)
    out.write_text(json.dumps(rounded(evaluation), indent=1) + "\n")
    out.with_name("calibration.json").write_text(json.dumps(rounded(calibration), indent=1) + "\n")
    print(json.dumps(rounded({k: v for k, v in evaluation["real"].items() if k.startswith("mean")})))


if __name__ == "__main__":
    main()
