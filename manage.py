#!/usr/bin/env python3
"""`up`, `test`, and every Django command; needs nothing but Python 3.11 to start."""

import os
import sys

from fusion_site import bootstrap

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
    bootstrap.enter(sys.argv[1:])
    bootstrap.carry_out(sys.argv)
