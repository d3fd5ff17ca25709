"""Speed against the peers, interleaved: `python -m benchmarks.steps` and `.runs`."""
