"""What every request passes: keys, callers, parameters, errors, the OpenAPI document, the access log."""
