"""``python -m arplay``."""

import sys

from arplay.cli import main

if __name__ == "__main__":
    sys.exit(main())
