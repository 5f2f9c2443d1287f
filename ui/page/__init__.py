"""The page: a module for each tab, over the doors and the HTML that they share."""
