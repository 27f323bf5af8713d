"""What stands before a line that is typed: the first of an item, and those that follow."""

PROMPT = "dpp> "
MORE = "...  "
