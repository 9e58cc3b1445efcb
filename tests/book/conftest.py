"""The steps are programs, not test modules: ``test_steps.py`` runs them."""

collect_ignore = ["steps"]
