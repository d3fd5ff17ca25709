"""`python -m tests.conformance DIR`: every case of a folder through the compiled kernels."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np

import nndsl.vocab  # noqa: F401 (registers the words)
from tests.conformance import attention, elementwise, recurrent, tensors, windows
from tests.conformance.case import Case, Drawing, passes, read_cases

FORMS = {
    **attention.FORMS,
    **elementwise.FORMS,
    **recurrent.FORMS,
    **tensors.FORMS,
    **windows.FORMS,
}


def run_case(case: Case) -> str | None:
    """Empty when a case passes, else how it fails; None when its operator is not there."""
    make = FORMS.get(case.operator)
    if make is None:
        return None
    drawing = Drawing()
    found = drawing.run(make(case, drawing))
    if case.operator == "SoftmaxCrossEntropyLoss" and len(found) > 1:
        found[1] = _with_classes_second(found[1], case.outputs[1])
    if case.operator == "MaxPool" and len(found) > 1:
        found[1] = windows.places(case, found[1])
    return passes(case, found)


def _with_classes_second(rows: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """[rows, classes] as the places x classes it was made from, with the classes on axis 1."""
    shape = (expected.shape[0], *expected.shape[2:], expected.shape[1])
    return np.moveaxis(rows.reshape(shape), -1, 1)


def main(folder: Path, most: int | None = None) -> int:
    """Run all cases, or the first so many of each operator; print what failed and what is not
    supported. 1 when a case failed.
    """
    passed, failed, absent, seen = 0, 0, Counter[str](), Counter[str]()
    for case in read_cases(folder):
        seen[case.operator] += 1
        if most is not None and seen[case.operator] > most:
            continue
        result = run_case(case)
        if result is None:
            absent[case.operator] += 1
        elif result:
            failed += 1
            print(f"failed  {case.name} ({case.operator}): {result}")
        else:
            passed += 1
    for operator, count in absent.most_common():
        print(f"not supported  {operator}: {count} cases, there is no such layer yet")
    print(f"{passed} passed, {failed} failed, {absent.total()} not supported")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m tests.conformance DIR")
    sys.exit(main(Path(sys.argv[1])))
