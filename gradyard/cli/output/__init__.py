"""What commands write: streams, files, lists that fit the terminal, charts."""
