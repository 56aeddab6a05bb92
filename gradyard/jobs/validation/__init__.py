"""From JSON to the model of a request, or to a refusal that points at each fault and says what to write instead."""
