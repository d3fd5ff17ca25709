"""Speed against the peers, interleaved: `python -m benchmarks.steps`, `python -m benchmarks.runs`."""
