"""The losses of the two heads."""

import torch
import torch.nn.functional as F

from labels import MAX_COUNT

FOCAL_POWER = 2.0
NEGATIVE_POWER = 4.0
BOX_WEIGHT = 1.0
LANGUAGE_WEIGHT = 1.0
COUNT_SMOOTHING = 0.08


def heat_loss(logits, heat, weight):
    """Penalty-reduced focal loss (CornerNet, Law & Deng 2018), weighted by what labels are trusted."""
    prob = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    at_centre = (heat == 1.0).float()
    positive = at_centre * (1 - prob) ** FOCAL_POWER * prob.log()
    negative = (1 - at_centre) * (1 - heat) ** NEGATIVE_POWER * prob ** FOCAL_POWER * (1 - prob).log()
    return -(weight * (positive + negative)).sum() / at_centre.sum().clamp(min=1.0)


def placed_loss(logits, placed):
    """Cross-entropy of the attributes read at the objects' centres."""
    if not placed:
        return logits.sum() * 0
    scores = torch.cat([logits[b, c, rows, columns] for b, c, rows, columns, _ in placed])
    return F.binary_cross_entropy_with_logits(scores, torch.cat([p[4] for p in placed]))


def box_loss(sides, targets):
    """1 - generalised IoU (Rezatofighi et al. 2019) at the cells that own a box."""
    cells, truth = targets
    if len(cells) == 0:
        return sides.sum() * 0
    rows, columns = sides.shape[2:]
    at = sides[cells[:, 0], :, cells[:, 1], cells[:, 2]]
    x, y = (cells[:, 2] + 0.5) / columns, (cells[:, 1] + 0.5) / rows
    box = torch.stack([x - at[:, 0], y - at[:, 1], x + at[:, 2], y + at[:, 3]], 1)
    low, high = torch.maximum(box[:, :2], truth[:, :2]), torch.minimum(box[:, 2:], truth[:, 2:])
    inter = (high - low).clamp(min=0).prod(1)
    area = lambda b: (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area(box) + area(truth) - inter
    hull_low = torch.minimum(box[:, :2], truth[:, :2])
    hull_high = torch.maximum(box[:, 2:], truth[:, 2:])
    hull = (hull_high - hull_low).prod(1).clamp(min=1e-9)
    giou = inter / union.clamp(min=1e-9) - (hull - union) / hull
    return (1 - giou).mean()


def answer_loss(logits, packed, words):
    """Cross-entropy of the answer tokens; a count shares a little of its mass with its neighbours."""
    places, targets = packed["places"], packed["targets"]
    if len(places) == 0:
        return logits.sum() * 0, {}
    log_prob = F.log_softmax(logits[places[:, 0], places[:, 1]].float(), -1)
    loss = -log_prob.gather(1, targets[:, None])[:, 0]
    for i, kind in enumerate(packed["kinds"]):
        if kind == "count":
            n = int(words.words[int(targets[i])])
            near = [words.id[str(m)] for m in (n - 1, n + 1) if 0 <= m <= MAX_COUNT]
            loss[i] = (loss[i] * (1 - COUNT_SMOOTHING * len(near))
                       - COUNT_SMOOTHING * log_prob[i, near].sum())
    weight = torch.tensor([0.1 if k == "stop" else 1.0 for k in packed["kinds"]], device=loss.device)
    right = (log_prob.argmax(1) == targets).float()
    shares = {}
    for kind in ("presence", "count"):
        index = [i for i, k in enumerate(packed["kinds"]) if k == kind]
        if index:
            shares[kind] = right[index].mean().item()
    return (loss * weight).sum() / weight.sum(), shares
