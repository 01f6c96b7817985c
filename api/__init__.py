"""seedrag over HTTP: ask, search and look up from other programs and from a page.

from api import create_app
app = create_app(Settings.load())
"""

from api.app import create_app

__all__ = ["create_app"]
