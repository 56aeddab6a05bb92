"""Questions to the history, as `loss_min < 9 and stage == "nn"`: read and checked before any database sees them."""
