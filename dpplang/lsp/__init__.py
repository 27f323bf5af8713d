"""The language server: `dpp lsp`.

    text ─Session─▶ Analysis ─feature × position─▶ result ─server─▶ client

``analysis`` and ``names`` say what a text means at every offset, without a type of the protocol; each feature is one
module of pure functions of an analysis; ``server`` only wires them. No solve, no NumPy, no torch.
"""
