"""The page: HTML by templates, which programs of the same service fill with the shapes of the API."""
