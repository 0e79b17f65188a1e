"""What reads foreign formats, in a process of its own that may be killed: nothing here is imported
by the site, and nothing of the site here."""
