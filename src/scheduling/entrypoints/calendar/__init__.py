"""The staff calendar: a page in TypeScript, which Vite builds into `PAGES`.

The wheel has what was built, and not what it was built from.
"""

from pathlib import Path

PAGES = Path(__file__).parent / "dist"
