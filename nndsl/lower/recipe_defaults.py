"""What a training does where its section says nothing: one place, tuned by measurement only."""

from __future__ import annotations

from nndsl.params import TimeLength

OPTIMIZER = "adam"
RATE = 3e-3
BATCH = 32
LENGTH = TimeLength(300, "epoch")
L2_OF_CLASSES = 1.0
L2_OF_NUMBERS = 10.0
"""The l2 coefficient is this, divided by the number of training rows: where the targets are
classes, and where they are numbers (docs/design/2026-11-21-default-recipe.md)."""
KEEP = "val_loss"
SEED = 0
PRECISION = "float32"
SPLIT = (0.64, 0.16, 0.2)
"""Training, validation and test share where `split` is left out (as `data` cuts them)."""
