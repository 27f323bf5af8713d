"""Clients that drive `dpp lsp` as a process of its own, with the capabilities of real editors."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

SERVER = ClientServerConfig(server_command=[sys.executable, "-m", "dpplang.cli", "lsp"])


@pytest_lsp.fixture(config=SERVER, scope="module")
async def vscode(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """Pulls diagnostics, takes snippets, hierarchical symbols and versioned edits; counts in UTF-16."""
    capabilities = client_capabilities("visual-studio-code@1.65.2")
    assert capabilities.text_document is not None
    capabilities.text_document.diagnostic = lsp.DiagnosticClientCapabilities()  # 1.65 did not know them yet
    lsp_client.watched = []  # type: ignore[attr-defined]

    @lsp_client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
    def register(params: lsp.RegistrationParams) -> None:
        lsp_client.watched += params.registrations  # type: ignore[attr-defined]

    lsp_client.init_result = await lsp_client.initialize_session(lsp.InitializeParams(capabilities=capabilities))  # type: ignore[attr-defined]
    yield
    await lsp_client.shutdown_session()


@pytest_lsp.fixture(config=SERVER, scope="module")
async def neovim(lsp_client: LanguageClient) -> AsyncIterator[None]:
    """Is sent diagnostics."""
    capabilities = client_capabilities("neovim@0.7.0")
    await lsp_client.initialize_session(lsp.InitializeParams(capabilities=capabilities))
    yield
    await lsp_client.shutdown_session()
