"""The command's first moments: Ctrl-C ends the imports, and what TAB asks for, without a traceback too."""

import os
import sys


def main() -> None:
    """Run the command line."""
    try:
        from twokeys import cli  # noqa: PLC0415 - what takes a moment

        cli.main()
    except KeyboardInterrupt:
        if "_TWOKEYS_COMPLETE" not in os.environ:
            sys.stderr.write("Stopped.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
