"""Files that people send in as data are read right, or refused by a sentence, within bounds of memory and time."""
