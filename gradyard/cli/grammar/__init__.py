"""How commands are put together: nouns with verbs, everyday words, what the shell completes."""
