"""Training: epochs, stopping, checkpoints, folds."""
