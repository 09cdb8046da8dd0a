"""Exit codes of the command line, after BSD `sysexits.h` where it has a fitting one.

They are part of the documented contract; scripts depend on them.
"""

from __future__ import annotations

from typing import Final

OK: Final = 0
NOT_HEALED: Final = 1
USAGE: Final = 2
BAD_INPUT: Final = 65
NOT_FOUND: Final = 66
HEALER_FAILED: Final = 70
NEEDS_PERSON: Final = 75
REFUSED: Final = 77
BAD_CONFIG: Final = 78
COMMAND_NOT_FOUND: Final = 127
