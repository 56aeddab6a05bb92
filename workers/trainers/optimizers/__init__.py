"""The optimizers, for packs whose members each have their own hyper-parameters."""
