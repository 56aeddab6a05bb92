"""Child processes that end with their parent. They import the standard library alone, so every package may use them."""
