"""Writes ``model.toml`` and the model card of a package from its evaluation."""

import argparse
import csv
import hashlib
import json
from pathlib import Path

from export import GRAPHS
from labels import OBJECTS
from trust import MIN_AUC, MIN_BALANCED, MIN_POSITIVES, concepts

VERSION = "0.2.1"
SYNONYMS = {
    "worker": ["person"], "human": ["person"], "lorry": ["truck"], "motorbike": ["motorcycle"],
    "bike": ["bicycle"], "package": ["parcel"], "luggage": ["suitcase", "backpack", "handbag"],
    "bag": ["suitcase", "backpack", "handbag"], "vehicle": ["car", "truck", "bus", "motorcycle"],
}
# Licence and attribution as each uploader stated them.
ATTRIBUTION = [
    ("Highway Object Detection", "Universitas Tidar, Roboflow Universe (universe.roboflow.com/universitas-tidar/highway-object-detection)", "CC BY 4.0"),
    ("PPE-Updated", "ppe-detection-csg9b, Roboflow Universe", "CC BY 4.0"),
    ("Road Traffic 4", "highway-traffic, Roboflow Universe", "CC BY 4.0"),
    ("Vehicles-OpenImages", "Jacob Solawetz, Roboflow; photographs from Open Images (Google)", "CC BY 4.0; photographs CC BY 2.0"),
    ("Open Images V4 interiors, by way of DoorDetect-Dataset", "the authors named by Open Images; selection by Miguel Arduengo", "CC BY 2.0"),
    ("Forklift", "Roboflow (object-detection/forklift-dsitv), from images.cv", "CC BY 4.0"),
    ("detetion people from drone", "people-detection-ia1rx, Roboflow Universe", "CC BY 4.0"),
    ("fire_smoke_detection", "fireandsmoke-gjn7t, Roboflow Universe", "CC BY 4.0"),
    ("cctv", "AI Indonesia (cctv-vh5b6), Roboflow Universe", "CC BY 4.0"),
    ("Track and Human Detection", "Track and Human Detection, Roboflow Universe", "CC BY 4.0"),
    ("Thermal Dogs and People", "Joseph Nelson, Roboflow", "public domain"),
    ("GMDCSA24", "Ekram Alam et al. 2024, doi 10.5281/zenodo.12921216", "MIT"),
    ("Packages", "Joseph Nelson, Roboflow Community", "public domain"),
    ("COCO 2017 (photographs under CC BY 2.0 or without known restrictions only)", "the Flickr authors; annotations by the COCO Consortium", "CC BY 2.0; annotations CC BY 4.0"),
    ("Palet", "palet-zsfnn, Roboflow Universe; AgusRaharja69/palletYolov5", "CC BY 4.0"),
    ("Package-Detection-PyTorch-YOLOv4", "Fuyi Yang", "Apache-2.0"),
    ("Rendered stills", "this project (tests/render)", "Apache-2.0"),
]


def answers(evaluation):
    """What plain-noun questions the detections answer: yes/no only where they do it better than the decoder.

    Judged on images held out of the training split.
    """
    held = evaluation["holdout"]
    language = held.get("mean_balanced_accuracy_language") or 0.0
    detector = held.get("mean_balanced_accuracy_detector") or 0.0
    return ["count", "yes_no"] if detector >= language else ["count"]


def offered(evaluation):
    """The figures of the sides at which both what is asked and what is counted clearly beat chance, the full one first."""
    sides = sorted(evaluation["sizes"].items(), key=lambda item: -int(item[0]))
    good = lambda f: min(f["yes_no"] or 0, f["counts"] or 0) >= MIN_BALANCED
    # The full size stays, whatever it is worth: a package needs one.
    return {int(side): f for i, (side, f) in enumerate(sides) if f["accuracy"] and (i == 0 or good(f))}


def digest(path):
    """sha256 and size of a file, as TOML."""
    data = path.read_bytes()
    return f'sha256 = "{hashlib.sha256(data).hexdigest()}", bytes = {len(data)}'


def manifest(out, evaluation, calibration):
    """The text of ``model.toml``."""
    listed, seen = concepts(evaluation)
    quote = lambda names: "[" + ", ".join(f'"{n}"' for n in names) + "]"
    text = ['# Written by models/train/card.py; do not edit by hand.', 'id = "scout"', f'version = "{VERSION}"',
            'licence = "Apache-2.0"', 'kind = "vlm"', 'title = "The built-in small vision-language model"',
            'default_variant = "f32"', "",
            "# Weights are stored as float16 and computed in float32.", "[variants.f32]"]
    for key, file in GRAPHS.items():
        text.append(f'{key} = {{ file = "{file}", {digest(out / file)} }}')
    text += ["", "[files]"]
    for file in ("config.json", "preprocessor_config.json", "tokenizer.json"):
        text.append(f'"{file}" = {{ {digest(out / file)} }}')
    text += ["", "[prompt]", 'yes = ["yes"]', 'no = ["no"]', 'count_spellings = ["{n}"]', "max_count = 20",
             "count_open_ended = true", "max_new_tokens = 4", 'stop = ["<end_of_utterance>"]',
             'yes_no_form = "Is there a {concept}?"', 'count_form = "How many {concept} are there?"',
             "lowercase = false", "", "[calibration.yes_no]"]
    table = lambda fit, keys: [f"{k} = {fit[k]}" for k in keys if k in fit]
    text += table(calibration["yes_no"], ("temperature", "bias"))
    text += ["", "[calibration.count]", *table(calibration["count"], ("temperature",))]
    for noun, fit in sorted(calibration["nouns"].items()):
        if noun in listed and not listed[noun]:
            text += ["", f"[calibration.nouns.{noun}]",
                     f'yes_no = {{ temperature = {fit["temperature"]}, bias = {fit["bias"]} }}']
    text += ["", "# Only what clearly beats chance on held-out images; see README.md.", "[concepts]"]
    text += [f"{noun} = {quote(names)}" for noun, names in listed.items()]
    text += ["", "[synonyms]"]
    for word, nouns in SYNONYMS.items():
        kept = [n for n in nouns if n in listed or n in seen]
        if kept:
            text.append(f"{word} = {quote(kept)}")
    text += ["", "[detector]", 'decode = "centre"', 'output = "detections"', f"classes = {quote(seen)}",
             f"answers = {quote(answers(evaluation))}"]
    for label, fit in calibration["detector"].items():
        if label != "default" and label not in seen:
            continue
        text += ["", "[detector.default]" if label == "default" else f"[detector.per_class.{label}]"]
        text += table(fit, ("temperature", "bias", "threshold"))
    text += ["", "# Sides of tiles that it may run at, and what it is worth at each; see README.md."]
    for side, value in offered(evaluation).items():
        text += ["", "[[points]]", f"resolution = {side}", f"accuracy = {value['accuracy']:.3f}"]
    return "\n".join(text) + "\n"


def percent(value):
    """A share in per cent, or a dash."""
    return "–" if value is None else f"{100 * value:.0f} %"


def presence_table(figures):
    """Rows of both heads for each class."""
    rows = ["| class | positives / negatives | language: balanced accuracy · AUC · F1 | detections: balanced accuracy · AUC · F1 |",
            "|---|---|---|---|"]
    for name, f in figures.items():
        cell = lambda h: f"{h['balanced_accuracy']:.2f} · {h['auc']:.2f} · {h['f1']:.2f}"
        rows.append(f"| {name} | {f['language']['positives']} / {f['language']['negatives']} | "
                    f"{cell(f['language'])} | {cell(f['detector'])} |")
    return rows


def count_table(figures):
    """Rows of counting for each class."""
    rows = ["| class | images | language: mean error · within one | detections | always the median |",
            "|---|---|---|---|---|"]
    cell = lambda h: f"{h['mae']:.2f} · {percent(h['within_1'])}"
    for name, f in figures.items():
        if f["majority"]["mae"] == 0 or f["majority"]["verdicts"]["0"] > 0.97:
            continue
        seen = cell(f["detector"]) if "detector" in f else "–"
        rows.append(f"| {name} | {f['language']['n']} | {cell(f['language'])} | {seen} | {cell(f['majority'])} |")
    return rows


def card(evaluation, curve, size):
    """The model card."""
    listed, seen = concepts(evaluation)
    real, drawn = evaluation["real"], evaluation.get("rendered")
    last = curve[-1]
    text = ["# scout", "",
            "The built-in vision-language model: small enough to ship with the firmware. A first, rough version:",
            "it sees better than chance, and its figures say by how much. Nothing safety-critical should rest on it.", "",
            f"- Version {VERSION}, licence Apache-2.0 (weights included), {size / 1e6:.1f} MB of graphs.",
            "- 3.3 M parameters: a convolutional encoder (256 x 256 pixels) with a centre heat-map, 64 image tokens, and a",
            "  two-layer causal decoder with word-level tokens. Trained from scratch; no foreign weights went into it.",
            f"- Trained for {float(last['minutes']):.0f} minutes on two shared CPU cores: {last['step']} steps, {int(last['images'])} augmented images.",
            "  Nearly half of the last part were rendered stills of halls with a queue and a platform.",
            "- The graphs obey the three-graph contract of SmolVLM (see docs/decisions/0004-scout.md); the vision graph has the",
            "  extra output `detections` [tiles, 100, 6]: x, y, w, h (0..1, top-left), raw score, class.", "",
            "## What it may be asked", "",
            "Concepts listed in `model.toml` are those that clearly beat chance on validation images, real or rendered: a",
            f"balanced accuracy of at least {MIN_BALANCED} and an AUC of at least {MIN_AUC}, from at least {MIN_POSITIVES} positives and negatives",
            "(for \"in queue\", a count error at least a quarter below that of always answering the median):", ""]
    text += [f"- {noun}" + (f" ({', '.join(q)})" if q else "") for noun, q in listed.items()]
    unseen = [c for c in OBJECTS if c not in seen]
    text += ["", "Detections of these classes do not clear that bar, or could not be tested, and are left out of the graph: "
             + (", ".join(unseen) or "none") + ".", "",
             "## Figures on the validation split", "",
             f"{evaluation['images']} images, asked through the exported graphs in ONNX Runtime. Presence is decided at a",
             "calibrated probability of 0.5. Calibration comes from images held out of the training split, never from validation.",
             "Questions are worded as `model.toml` words them. Always answering the same has a balanced accuracy of 0.50.", ""]
    text += presence_table(real["presence"])
    mean = real.get("mean_balanced_accuracy_language"), real.get("mean_balanced_accuracy_detector")
    if mean[0]:
        text += ["", f"Mean balanced accuracy over classes with at least 50 positives (and 20 negatives): "
                 f"language {mean[0]:.3f}, detections {mean[1]:.3f}."]
    if "calibration_error" in real:
        e = real["calibration_error"]
        text += [f"Expected calibration error of presence: language {e['language']:.3f}, detections {e['detector']:.3f} "
                 "(the language head is calibrated to even odds of yes and no)."]
    if real["presence_weak"]:
        text += ["", "With weak negatives (images of sets that cannot show the thing, such as parcels on a motorway; easier",
                 "than a true test, because the kind of scene gives the answer away):", ""]
        text += presence_table(real["presence_weak"])
    if real["attributes"]:
        text += ["", "Attributes (language head only):", "", "| question | positives / negatives | balanced accuracy · AUC · F1 |", "|---|---|---|"]
        text += [f"| person: {c.replace('_', ' ')} | {f['positives']} / {f['negatives']} | "
                 f"{f['balanced_accuracy']:.2f} · {f['auc']:.2f} · {f['f1']:.2f} |" for c, f in real["attributes"].items()]
    text += ["", "Counts (images with at most 10 objects, each at least 4 % of the frame high):", ""]
    text += count_table(real["count"])
    if drawn:
        text += ["", "## Figures on rendered scenes", "",
                 "Stills of the project's own renderer that were not in the training (other random numbers, same renderer: easier",
                 "than the world). Most show what the demo's clip shows: a counter with a queue and a platform, from a camera high",
                 "on the wall, with other people, bags, colours, light and camera. The training had such stills too, so the demo",
                 "proves the way from camera to alert and not how well scout sees. Queues and unattended bags exist in rendered",
                 "pictures only; how well they carry over to real cameras is unknown.", ""]
        text += presence_table(drawn["presence"])
        text += [""] + count_table(drawn["count"])
        for c, f in drawn["attributes"].items():
            text += ["", f"{c.replace('_', ' ')}: balanced accuracy {f['balanced_accuracy']:.2f}, AUC {f['auc']:.2f}, F1 {f['f1']:.2f} "
                     f"({f['positives']} / {f['negatives']})."]
        if evaluation.get("queue_alarm"):
            text += ["", "\"More than 3 in the queue\" by the true length of the queue:", "", "| in the queue | stills | said to be more than 3 |", "|---|---|---|"]
            text += [f"| {n} | {c['stills']} | {percent(c['more_than_3'])} |" for n, c in evaluation["queue_alarm"].items()]
    text += ["", "## Smaller pictures", "",
             "The vision graph takes tiles of any multiples of 32 pixels; the weights are the same. On the same validation images, with",
             "the calibration of the full size: *yes or no* is the mean balanced accuracy of presence (language, as above), *counts* that of",
             "\"more than 1, 3, 5\" by the head that counts on the camera; *accuracy* is their mean and stands in `model.toml`. 0.5 is chance.",
             "A side at which either is below " f"{MIN_BALANCED} is not offered.", "",
             "| side, pixels | accuracy | yes or no | counts | mean error of people, of queues (rendered) | offered |", "|---|---|---|---|---|---|"]
    usable = offered(evaluation)
    for side, f in sorted(evaluation["sizes"].items(), key=lambda item: -int(item[0])):
        cell = lambda v: "–" if v is None else f"{v:.3f}"
        errors = " · ".join(cell(f["count_error"].get(name)) for name in ("rendered person", "rendered queue"))
        text.append(f"| {side} | {cell(f['accuracy'])} | {cell(f['yes_no'])} | {cell(f['counts'])} | {errors} | "
                    f"{'yes' if int(side) in usable else 'no'} |")
    text += ["", "## Limits", "",
             "- Trained for minutes, not days: the loss was still falling. Scenes unlike the training sets are much harder for it.",
             "- Most absences come from other sets than the presences, so part of every figure is the kind of scene and not the thing.",
             "- Counts of the language head hardly beat the median except for queues and people in rendered scenes.",
             "- It tends to count one too many in a queue: of three people it says about as often four as three.",
             "- Probabilities are rough: see the calibration errors above.",
             "- Objects below about 4 % of the frame's height are mostly missed. The frame is squashed to 256 x 256.",
             "- Bicycles of the validation split are one scene; forklifts, parcels, pallets, fire and smoke have almost no trusted",
             "  absences, so their figures rest on weak negatives.",
             "- People on one campus taught it hard hats and vests; three rooms taught it lying. Do not expect more of it.",
             "- Thermal dogs are most of its dogs. Bags are mostly rendered.",
             "- It must not be used to tell who somebody is; it was not trained for it and can't.", "",
             "## Training data", "",
             "Licences are as each uploader stated them. The images are not in this repository.", "",
             "| set | author | licence |", "|---|---|---|"]
    text += [f"| {name} | {author} | {licence} |" for name, author, licence in ATTRIBUTION]
    text += ["", "Changes made to the data: scaled down, cropped, flipped, recoloured and joined into mosaics during training.", "",
             "## Files", "", "`evaluation.json` has every figure, `learning-curve.csv` the course of the training. `scripts/train-scout`",
             "trains such a model again, from scratch."]
    return "\n".join(text) + "\n"


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder of the package")
    parser.add_argument("--evaluation", required=True)
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--curve", required=True)
    args = parser.parse_args()
    out = Path(args.out)
    evaluation = json.loads(Path(args.evaluation).read_text())
    calibration = json.loads(Path(args.calibration).read_text())
    with open(args.curve, newline="") as file:
        curve = list(csv.DictReader(file))
    (out / "model.toml").write_text(manifest(out, evaluation, calibration))
    (out / "evaluation.json").write_text(json.dumps(evaluation, indent=1) + "\n")
    (out / "learning-curve.csv").write_text(Path(args.curve).read_text())
    size = sum((out / f).stat().st_size for f in GRAPHS.values())
    (out / "README.md").write_text(card(evaluation, curve, size))
    total = sum(f.stat().st_size for f in out.iterdir())
    print(f"package {out}: {total / 1e6:.2f} MB")
    if total >= 8_000_000:
        raise SystemExit("the package is larger than 8 MB")


if __name__ == "__main__":
    main()
