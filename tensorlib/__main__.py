"""`python -m tensorlib` is the `tensorlib` command."""

from tensorlib.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
