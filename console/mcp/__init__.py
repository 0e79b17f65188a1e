"""Fusion as tools for other programs' models, by the Model Context Protocol.

`server` declares the tools, `asking` carries them out, `results` is what they return.
A *caller* (`callers`) is for whom: a token over HTTP (`mount`, at /mcp), or whoever
sits at this machine's shell (`manage.py mcp`).
"""
