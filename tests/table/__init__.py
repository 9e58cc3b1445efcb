"""The table of differentiable functions, and the checks that every row of it goes through."""
