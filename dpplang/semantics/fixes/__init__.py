"""Rewrites that mend a program, as edits of its text: comments and layout stay as the user wrote them.

``syntax`` finds what an expression is in the text, ``program`` says where new items go, ``rewrite`` is a rewrite in the
making, ``products``, ``quotients`` … make them, ``offers`` adds fixes by code, ``verified`` keeps those that mend.
"""
