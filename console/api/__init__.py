"""The HTTP API: `/v1/…`, as OpenAI's clients speak it, with OpenRouter's words for Fusion.

An endpoint is an async view under `base.endpoint`, which finds the token,
counts the request, reads the body into a schema and answers every error in
one shape. Whatever can go wrong is one line in `errors.py`.
"""
