"""Now is handed in: nothing inside reads a clock."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Return the present instant, aware, in UTC."""
