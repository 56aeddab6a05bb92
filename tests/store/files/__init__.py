"""Where the content of larger files is kept."""
