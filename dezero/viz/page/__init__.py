"""The interactive page of a graph: forward and backward, step by step, in one HTML file."""

from dezero.viz.page.html import Page, get_html_page, show

__all__ = ["Page", "get_html_page", "show"]
