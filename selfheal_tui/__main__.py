"""`python -m selfheal_tui` is `selfheal`."""

from __future__ import annotations

from selfheal_tui.cli import main

if __name__ == "__main__":
    main()
