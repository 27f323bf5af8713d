-- Writes for each file of stdin's JSON list the syntax groups of all its characters, line by line, and its filetype.
local answers = {}
for _, path in ipairs(vim.fn.json_decode(io.read("*a"))) do
  vim.cmd("edit " .. vim.fn.fnameescape(path))
  local lines = {}
  for number = 1, vim.fn.line("$") do
    local groups = {}
    local column = 1
    for character in vim.fn.getline(number):gmatch("[%z\1-\127\194-\244][\128-\191]*") do
      table.insert(groups, vim.fn.synIDattr(vim.fn.synID(number, column, 1), "name"))
      column = column + #character
    end
    table.insert(lines, #groups > 0 and groups or vim.empty_dict())
  end
  table.insert(answers, { filetype = vim.bo.filetype, comments = vim.bo.commentstring, lines = lines })
end
io.write(vim.fn.json_encode(answers))
vim.cmd("qall!")
