"""The programs of the book's sixty steps, and the test that runs them."""
