"""Is a preset worth it, on one's own prompts?

A **task** is a prompt and how answers to it are graded. An **arm** is a way of
answering: a seat of the panel alone (*solo*), the best of them sitting as a
whole panel (*same model*), the preset. A **grade** is what an answer gets by
itself, a **pairing** which of two is better. A **step** is anything that costs
money, a run each, and is bought once: its name decides its run.

`tasks`, `arms`, `grading`, `intervals` and `report` are pure; `results` is the
file on disk, `asking` the way to the worker, `evaluation` the order of things.
"""
