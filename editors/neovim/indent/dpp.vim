" Indents what stands below `subject to`, within brackets and within an atom's record.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=DppIndent(v:lnum) indentkeys=o,O,0},0),0],=return,=func,=atom nolisp
let b:undo_indent = "setlocal indentexpr< indentkeys< lisp<"

if exists("*DppIndent")
  finish
endif

function! DppIndent(number) abort
  let above = prevnonblank(a:number - 1)
  if above == 0
    return 0
  endif
  let text = substitute(getline(above), '#.*', '', '')
  let line = getline(a:number)
  let opened = len(substitute(text, '[^([{]', '', 'g')) - len(substitute(text, '[^)\]}]', '', 'g'))
  let label = matchend(text, '\v^\s*\k+(\[[^]]*\])?:\s*')
  if label > 0 && opened == 0 && text =~# '\v[-+*/@^,=<>]\s*$'
    return label
  endif
  let first = above
  while opened == 0 && first > 1 && substitute(getline(first - 1), '#.*', '', '') =~# '\v[-+*/@^,=<>]\s*$'
    let first -= 1
  endwhile
  let indent = indent(first)
  if opened > 0 || text =~# '\v^\s*(subject\s+to|minimize|maximize|return|dim|data|param|var|derived|let)\s*$'
    let indent += shiftwidth()
  elseif opened < 0 && text !~# '\v^\s*[)\]}]'
    let indent -= shiftwidth()
  endif
  if line =~# '\v^\s*[)\]}]'
    call cursor(a:number, 1)
    let opener = searchpair('[([{]', '', '[)\]}]', 'bnW')
    return opener > 0 ? indent(opener) : 0
  endif
  if line =~# '\v^\s*return>' || (line =~# '\v^\s*(func|atom)>' && indent > 0)
    let indent -= shiftwidth()
  endif
  return max([indent, 0])
endfunction
