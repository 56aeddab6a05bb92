"""The stages that jobs can be of, as facts: the built-in eight, and those of installed packages. No torch here."""
