" Options for .dpp files, in Vim and Neovim.
if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:##,:# commentstring=#\ %s
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=2 softtabstop=2
setlocal suffixesadd=.dpp include=^\\s*from\\s*\"
setlocal makeprg=dpp\ check\ %:S
setlocal errorformat=%Eerror[%*[^]]]:\ %m,%Wwarning[%*[^]]]:\ %m,%C%*[\ ]-->\ %f:%l:%c,%-G%.%#

let b:undo_ftplugin = "setlocal comments< commentstring< formatoptions< expandtab< shiftwidth< softtabstop<"
      \ . " suffixesadd< include< makeprg< errorformat<"
