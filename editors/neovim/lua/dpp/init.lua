--- The language server of dpplang in Neovim: which `dpp` to run, and starting it in 0.7 and later.
local M = {}

--- May be overridden: `require("dpp").cmd = { "/path/to/dpp", "lsp" }`, `require("dpp").settings = { inlayHints = "all" }`.
M.cmd = nil
M.settings = { inlayHints = "top" }

local function executable(path)
  return vim.fn.executable(path) == 1
end

--- The nearest folder above a file that holds a project, else the file's own.
function M.root(path)
  local folder = vim.fn.fnamemodify(path, ":p:h")
  local at = folder
  while true do
    for _, mark in ipairs({ "dpp.toml", "pyproject.toml", ".git" }) do
      if vim.fn.filereadable(at .. "/" .. mark) == 1 or vim.fn.isdirectory(at .. "/" .. mark) == 1 then
        return at
      end
    end
    local above = vim.fn.fnamemodify(at, ":h")
    if above == at then
      return folder
    end
    at = above
  end
end

--- The command to run: what is set, the active virtual environment's, the project's `.venv`, the PATH's. nil if none.
function M.command(root)
  if M.cmd then
    return M.cmd
  end
  local candidates = {}
  for _, environment in ipairs({ vim.env.VIRTUAL_ENV or "", root .. "/.venv", root .. "/venv" }) do
    if environment ~= "" then
      table.insert(candidates, environment .. "/bin/dpp")
      table.insert(candidates, environment .. "/Scripts/dpp.exe")
    end
  end
  table.insert(candidates, "dpp")
  for _, candidate in ipairs(candidates) do
    if executable(candidate) then
      return { candidate, "lsp" }
    end
  end
  return nil
end

local clients = {} -- root → client, where Neovim does not keep that itself (0.7)
local told = false

--- Start the server for a buffer, or attach the one that runs for its project. Returns the client's number, or nil.
function M.start(buffer)
  buffer = (buffer == nil or buffer == 0) and vim.api.nvim_get_current_buf() or buffer
  local root = M.root(vim.api.nvim_buf_get_name(buffer))
  local command = M.command(root)
  if command == nil then
    if not told then
      told = true
      vim.notify("dpplang: no `dpp` was found; `pip install 'dpplang[lsp]'` into the project's environment", vim.log.levels.WARN)
    end
    return nil
  end
  local config = {
    name = "dpp",
    cmd = command,
    root_dir = root,
    init_options = M.settings,
    settings = { dpp = M.settings },
    capabilities = vim.lsp.protocol.make_client_capabilities(),
  }
  if vim.lsp.start then
    return vim.lsp.start(config, { bufnr = buffer })
  end
  local known = clients[root]
  if known == nil or vim.lsp.get_client_by_id(known) == nil then
    config.on_exit = function()
      clients[root] = nil
    end
    known = vim.lsp.start_client(config)
    clients[root] = known
  end
  vim.lsp.buf_attach_client(buffer, known)
  return known
end

return M
