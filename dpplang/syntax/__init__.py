"""Text to AST and back: item isolation, the LALR parser, the printer."""
