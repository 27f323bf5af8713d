-- Neovim's own client against `dpp lsp`: opens a broken program, reads what it is told, mends it; prints one JSON object.
local file, python = vim.env.DPP_FILE, vim.env.DPP_PYTHON
local out = {}

local function wait_for(what, condition)
  if not vim.wait(60000, condition, 20) then
    out.timeout = what
    io.stdout:write(vim.json.encode(out) .. "\n")
    vim.cmd("cquit")
  end
end

vim.cmd("edit " .. vim.fn.fnameescape(file))
local buffer = vim.api.nvim_get_current_buf()
local id = vim.lsp.start_client({
  name = "dpp",
  cmd = { python, "-m", "dpplang.cli", "lsp" },
  root_dir = vim.fn.fnamemodify(file, ":h"),
  init_options = { inlayHints = "top" },
})
vim.lsp.buf_attach_client(buffer, id)
local function diagnostics() return vim.diagnostic.get(buffer) end
local function ask(method, params)
  local answers, failure = vim.lsp.buf_request_sync(buffer, method, params, 60000)
  if failure then out.failure = method .. ": " .. failure end
  return answers and answers[id] and answers[id].result
end
local function at(line, character)
  return { textDocument = vim.lsp.util.make_text_document_params(buffer), position = { line = line, character = character } }
end

wait_for("diagnostics", function() return #diagnostics() > 0 end)
out.broken = vim.tbl_map(function(d) return { code = d.code, line = d.lnum } end, diagnostics())

out.hover = ask("textDocument/hover", at(3, 9)).contents.value
out.completion = #ask("textDocument/completion", at(3, 9)).items

-- the fix, applied by Neovim itself
local fixes = ask("textDocument/codeAction", {
  textDocument = vim.lsp.util.make_text_document_params(buffer),
  range = { start = { line = 3, character = 0 }, ["end"] = { line = 3, character = 30 } },
  context = { diagnostics = {} },
})
out.fix = fixes[1].title
vim.lsp.util.apply_workspace_edit(fixes[1].edit, vim.lsp.get_client_by_id(id).offset_encoding)
wait_for("the fix", function() return #diagnostics() == 0 end)
out.mended = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)

-- a name of letters beyond ASCII, typed in front of what is renamed
vim.api.nvim_buf_set_lines(buffer, -1, -1, false, { "  𝒙𝒚" })
wait_for("a fault", function() return #diagnostics() > 0 end)
vim.api.nvim_buf_set_lines(buffer, -2, -1, false, {})
wait_for("no fault", function() return #diagnostics() == 0 end)

vim.lsp.util.apply_workspace_edit(
  ask("textDocument/rename", vim.tbl_extend("force", at(2, 4), { newName = "portfolio" })),
  vim.lsp.get_client_by_id(id).offset_encoding
)
out.renamed = vim.api.nvim_buf_get_lines(buffer, 0, -1, false)

-- the lens, which is asked for once: up to 0.11 it is resolved, as Neovim cannot be told to ask again
vim.api.nvim_buf_set_lines(buffer, -1, -1, false, { "# dims: n = 3" })
vim.lsp.codelens.refresh()
local function lens()
  local lenses = vim.lsp.codelens.get(buffer)
  return #lenses == 1 and lenses[1].command and lenses[1].command.title or ""
end
wait_for("the canonical size", function() return lens():find("canonical") ~= nil end)
out.lens = lens()
vim.lsp.stop_client(id)
wait_for("the end", function() return vim.lsp.get_client_by_id(id) == nil or vim.lsp.get_client_by_id(id).is_stopped() end)
io.stdout:write(vim.json.encode(out) .. "\n")
vim.cmd("qall!")
