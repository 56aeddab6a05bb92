"""The losses, for packs whose members each have their own."""
