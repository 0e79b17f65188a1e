"""Twisted's reactor, on the loop that workers have too.

Importing this installs it, so it comes before all else that is Twisted's: Daphne would install one
on asyncio's own loop.
"""

from twisted.internet import asyncioreactor

from console.site.loops import new_loop

asyncioreactor.install(new_loop())
