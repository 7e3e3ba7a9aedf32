-- lualine: sections = { lualine_x = { "caret" } }
local component = require("lualine.component"):extend()

function component:update_status()
  return require("caret").status()
end

return component
