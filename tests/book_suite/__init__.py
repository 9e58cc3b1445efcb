"""The tests that came with the book's package, written anew: numbers from plain NumPy."""
