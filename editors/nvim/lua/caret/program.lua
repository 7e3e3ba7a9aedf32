--- The program `caret`: where it is, and what it is run with, so that nothing in the current folder runs.

local M = {}

local WINDOWS = vim.fn.has("win32") == 1
local SEPARATOR = WINDOWS and ";" or ":"
--- These have Python load other code; empty ones count as unset.
local PYTHONS = {
  "PYTHONBREAKPOINT",
  "PYTHONEXECUTABLE",
  "PYTHONHOME",
  "PYTHONINSPECT",
  "PYTHONPATH",
  "PYTHONPLATLIBDIR",
  "PYTHONPYCACHEPREFIX",
  "PYTHONSTARTUP",
  "PYTHONUSERBASE",
  "PYTHONWARNINGS",
}

---@param path string
local function is_absolute(path)
  return path:find(WINDOWS and "^%a:[/\\]" or "^/") ~= nil or vim.startswith(path, "\\\\")
end

---@param folder string
---@param path string
local function within(folder, path)
  folder = vim.endswith(folder, "/") and folder or folder .. "/"
  return vim.startswith(path .. "/", folder)
end

---@param path string
local function resolved(path)
  return vim.fs.normalize(vim.uv.fs_realpath(path) or path)
end

--- Whether a folder is the current one or in it. The home folder is no workspace, nor what it is in.
---@param folder string
local function is_open(folder)
  local open = resolved(vim.fn.getcwd())
  return not within(open, resolved(vim.uv.os_homedir() or "/")) and within(open, resolved(folder))
end

--- The folders of the PATH that count: a relative one means whatever folder is current.
---@return string[]
local function searched()
  return vim.tbl_filter(function(folder)
    return is_absolute(folder) and not is_open(folder)
  end, vim.split(vim.env.PATH or "", SEPARATOR, { plain = true }))
end

--- A name as an absolute path where there is such a program; a path with `~` and variables read.
---@param name string
---@return string
local function found(name)
  if name:find("[/\\~$]") then
    local path = vim.fs.normalize(name)
    return is_absolute(path) and path or "./" .. path
  end
  for _, folder in ipairs(searched()) do
    local path = vim.fs.joinpath(folder, WINDOWS and name .. ".exe" or name)
    if vim.fn.executable(path) == 1 then
      return path
    end
  end
  return name
end

--- The command with its program found.
---@param command string[]
---@return string[]
function M.command(command)
  return vim.list_extend({ found(command[1] or "") }, command, 2)
end

--- What to write instead, where a program is wrong; nil where it is right.
---@param path string As in what `command` returns.
---@return string?
function M.problem(path)
  local kind = (vim.uv.fs_stat(path) or {}).type
  if not path:find("[/\\]") then
    return ("`%s` is not on the PATH outside of the current folder; name it in full"):format(path)
  elseif not is_absolute(path) then
    return ("%s is not an absolute path; write it out from the root, or from ~"):format(path)
  elseif not kind then
    return ("there is no %s; write the whole path of the program caret"):format(path)
  elseif kind == "directory" then
    return ("%s is a folder; write the path of the program caret in it"):format(path)
  elseif vim.fs.basename(path):find("^pythonw?[%d.]*$") or vim.endswith(path, "python.exe") then
    return ("%s is Python; write the path of the program caret beside it"):format(path)
  elseif vim.fn.executable(path) == 0 then
    return ("%s is not a program that you may run; name the program caret"):format(path)
  end
end

--- Working directory and variables: the editor's own folder, always there, and nothing of the current one.
---@return { cwd: string, env: table<string, string> }
function M.surroundings()
  local env = { PATH = table.concat(searched(), SEPARATOR) }
  for _, name in ipairs(PYTHONS) do
    env[name] = vim.env[name] and "" or nil
  end
  return { cwd = vim.fs.dirname(vim.v.progpath), env = env }
end

return M
