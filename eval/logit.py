"""The multinomial logit that the calibrations fit (McFadden, 1974)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize


def multinomial(
    values: NDArray[np.float64],
    target: NDArray[np.intp],
    weights: NDArray[np.float64],
    outcomes: int,
    ridge: float,
) -> NDArray[np.float64]:
    """Weights (features, outcomes) that maximise the weighted likelihood of *target*.

    *values* is (examples, features), *target* (examples,) the place of each one's outcome, and
    *weights* (examples,). The squares of the weights are charged *ridge* over the number of
    examples.
    """
    count, features = values.shape
    hot = np.eye(outcomes)[target]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        matrix = flat.reshape(features, outcomes)
        odds = values @ matrix
        odds = odds - odds.max(1, keepdims=True)
        logs = odds - np.log(np.exp(odds).sum(1, keepdims=True))
        value = -float((weights * logs[np.arange(count), target]).sum())
        slope = values.T @ (weights[:, None] * (np.exp(logs) - hot))
        shrink = ridge / count
        return value + shrink * float(flat @ flat), (slope + 2 * shrink * matrix).ravel()

    start = np.zeros(features * outcomes)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 2000}).x
    return np.asarray(best.reshape(features, outcomes))
