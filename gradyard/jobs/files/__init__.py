"""Files that people send in as data: of which form they are, what their columns hold, and the numbers of a column."""
