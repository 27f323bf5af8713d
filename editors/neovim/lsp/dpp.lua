-- For Neovim 0.11 and later, which reads this where `vim.lsp.enable("dpp")` is called.
local dpp = require("dpp")

return {
  cmd = dpp.command(vim.fn.getcwd()) or { "dpp", "lsp" },
  filetypes = { "dpp" },
  root_markers = { "dpp.toml", "pyproject.toml", ".git" },
  init_options = dpp.settings,
  settings = { dpp = dpp.settings },
}
