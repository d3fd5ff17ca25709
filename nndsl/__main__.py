"""`python -m nndsl`: the command line, without importing anything from the present folder."""

import sys
from pathlib import Path

_here = Path.cwd().resolve()
if not (_here / "nndsl" / "__main__.py").exists():
    # `-m` puts the present folder first; a file lark.py in a downloaded project must not run.
    sys.path[:] = [p for p in sys.path if p and Path(p).resolve() != _here]

from nndsl.cli.main import main  # noqa: E402

if __name__ == "__main__":
    main()
