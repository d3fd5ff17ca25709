"""The NumPy meanings of ops on sequences, plain enough to stand in an exported file."""

from __future__ import annotations

import numpy as np


def seen_keys(queries: int, keys: int, causal: bool, window: int, offset: int) -> np.ndarray:
    """Which keys each query sees: truths [queries, keys]."""
    place = np.arange(queries)[:, None] + offset
    key = np.arange(keys)[None, :]
    seen = key <= place if causal else np.ones((queries, keys), bool)
    if window:
        seen = seen & (key > place - window) & (key < place + window)
    return np.asarray(seen)


def weigh_keys(
    scores: np.ndarray,
    scale: float,
    causal: bool,
    window: int,
    offset: int,
    valid: np.ndarray | None = None,
) -> np.ndarray:
    """Softmax of the scaled scores over what is seen, from x - max(x); 0 elsewhere."""
    mask = seen_keys(scores.shape[-2], scores.shape[-1], causal, window, offset)
    seen = np.broadcast_to(mask, scores.shape)
    if valid is not None:
        if valid.shape != scores.shape:
            valid = valid.reshape(len(valid), *(1,) * (scores.ndim - 2), scores.shape[-1])
        seen = seen & (valid > 0)
    top = np.where(seen, scores, -1e30).max(axis=-1, keepdims=True)
    powers = np.where(seen, np.exp(np.where(seen, scale * (scores - top), 0.0)), 0.0)
    total = powers.sum(axis=-1, keepdims=True)
    return np.asarray(powers / np.where(total == 0, 1.0, total), scores.dtype)


def turn_pairs(
    x: np.ndarray, cosines: np.ndarray, sines: np.ndarray, interleaved: bool, inverse: bool
) -> np.ndarray:
    """Each pair (a, b) of features becomes (a cos - b sin, b cos + a sin)."""
    count = cosines.shape[-1]
    cosines, sines = cosines[None, :, None, :], (-sines if inverse else sines)[None, :, None, :]
    first, second = slice(0, count), slice(count, 2 * count)
    if interleaved:
        first, second = slice(0, 2 * count, 2), slice(1, 2 * count, 2)
    a, b = x[..., first], x[..., second]
    turned = x.copy()
    turned[..., first] = a * cosines - b * sines
    turned[..., second] = b * cosines + a * sines
    return turned


def waves_of(size: int, features: int, base: float, kind: str) -> np.ndarray:
    """Sines, cosines or both of the places below `size`: [size, features], float64."""
    count = features // 2 if kind == "both" else features
    angles = np.outer(np.arange(size), base ** (-np.arange(count) / count))
    if kind == "both":
        return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(size, features)
    return np.asarray(np.sin(angles) if kind == "sin" else np.cos(angles))
