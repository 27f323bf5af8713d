"""Writes what editors need to colour `.dpp` files, from the lists the language itself is made of.

    python -m editors.generate             # writes every file of FILES
    python -m editors.generate --check     # exit code 1 if one of them is not what would be written

Who adds a keyword, an attribute or a cone runs it; a test holds the files that are checked in against it.
"""
