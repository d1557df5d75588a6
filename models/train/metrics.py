"""Measures of binary answers and counts, and the fits of the calibration."""

import numpy as np


def auc(scores, truth):
    """Area under the ROC curve (ties count half); NaN where one class is missing."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, bool)
    if truth.all() or not truth.any():
        return float("nan")
    values, inverse, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    ranks = (last - sizes + last + 1) / 2
    positives = truth.sum()
    total = ranks[inverse][truth].sum()
    return float((total - positives * (positives + 1) / 2) / (positives * (~truth).sum()))


def binary(probability, truth):
    """Balanced accuracy, F1, AUC, positives and negatives, deciding at 0.5."""
    p, t = np.asarray(probability, float), np.asarray(truth, bool)
    said = p >= 0.5
    tp, fp = int((said & t).sum()), int((said & ~t).sum())
    fn, tn = int((~said & t).sum()), int((~said & ~t).sum())
    rate = lambda a, b: a / (a + b) if a + b else float("nan")
    return {"balanced_accuracy": (rate(tp, fn) + rate(tn, fp)) / 2,
            "auc": auc(p, t), "f1": 2 * tp / max(2 * tp + fp + fn, 1),
            "positives": int(t.sum()), "negatives": int((~t).sum())}


def calibration_error(probability, truth, bins=10):
    """Expected calibration error over equal-width bins of the probability of "yes"."""
    p, t = np.asarray(probability, float), np.asarray(truth, float)
    which = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [abs(p[which == b].mean() - t[which == b].mean()) * (which == b).mean()
            for b in range(bins) if (which == b).any()]
    return float(sum(gaps))


def counting(guess, truth, thresholds=(0, 1, 3, 5, 10)):
    """Mean absolute error, share within one, and verdicts of "more than N"."""
    g, t = np.asarray(guess, float), np.asarray(truth, float)
    return {"n": len(t), "mae": float(abs(g - t).mean()),
            "within_1": float((abs(np.round(g) - t) <= 1).mean()),
            "verdicts": {str(n): float(((g > n) == (t > n)).mean()) for n in thresholds}}


def sigmoid(x):
    """Logistic function without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, float)))


def platt(logits, truth, balanced, ridge=1.0):
    """Fits p = sigmoid(logit / temperature + bias) by Newton's method; returns (temperature, bias).

    ``balanced`` gives both classes the same total weight. A ridge pulls the slope to 1 and the bias to
    0, so that few examples change little. The temperature is kept in 0.2..5.
    """
    x, t = np.asarray(logits, float), np.asarray(truth, float)
    weight = np.ones(len(x))
    if balanced and 0 < t.sum() < len(t):
        weight = np.where(t > 0, 0.5 / t.mean(), 0.5 / (1 - t.mean()))
    w = np.array([1.0, 0.0])
    design = np.stack([x, np.ones(len(x))], 1)
    for _ in range(50):
        p = sigmoid(design @ w)
        gradient = design.T @ (weight * (p - t)) + ridge * (w - [1.0, 0.0])
        hessian = (design * (weight * p * (1 - p) + 1e-9)[:, None]).T @ design + ridge * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        w = w - np.clip(step, -1, 1)
        if abs(step).max() < 1e-6:
            break
    slope = float(np.clip(w[0], 0.2, 5.0))
    return 1 / slope, float(w[1])
