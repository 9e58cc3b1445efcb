"""What the original package gets wrong: a test a case, named after what a user sees."""
