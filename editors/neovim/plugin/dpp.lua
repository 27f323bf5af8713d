-- Starts the language server for .dpp files. `vim.g.dpp_lsp = false` leaves that to you.
if vim.g.loaded_dpp or vim.g.dpp_lsp == false then
  return
end
vim.g.loaded_dpp = true

if vim.lsp.config and vim.lsp.enable then
  vim.lsp.enable("dpp")
else
  vim.api.nvim_create_autocmd("FileType", {
    pattern = "dpp",
    callback = function(event)
      require("dpp").start(event.buf)
    end,
  })
end
