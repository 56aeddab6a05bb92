"""The families of commands, one file each; `gradyard.cli.main` registers them."""
