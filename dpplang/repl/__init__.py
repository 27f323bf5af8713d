"""The REPL: a program built item by item. Only text until a command needs numbers, which another process computes."""
