"""Answers for people: as one line in a prompt, and as a card in a notebook. Loaded when one is shown."""
