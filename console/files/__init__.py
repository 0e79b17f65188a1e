"""Files that people attach: kept once by their hash, read in a process that may be killed,
and given to each seat as it can take them: as they are, as text, or not at all, which is said."""
