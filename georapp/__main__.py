"""`georapp` and `python -m georapp`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run a command and end the process with its exit code."""
    from georapp import cli

    sys.exit(cli.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
