" Indents what stands below `subject to`, within brackets and within an atom's record, and what goes on from the line above.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=DppIndent(v:lnum) indentkeys=o,O,0},0),0],=return,=func,=atom nolisp
let b:undo_indent = "setlocal indentexpr< indentkeys< lisp<"

if exists("*DppIndent")
  finish
endif

let s:goes_on = '\v[-+*/@^,=<>]\s*$'
let s:alone = '\v^\s*(subject\s+to|minimize|maximize|return|dim|data|param|var|derived|let|\k+(\[[^]]*\])?:)\s*$'

" A line without its comment.
function! s:Text(number) abort
  return substitute(getline(a:number), '#.*', '', '')
endfunction

" The line of the innermost bracket of a kind that is open where a line begins, 0 without one.
function! s:Opener(number, open, close) abort
  call cursor(a:number, 1)
  return searchpair(a:open, '', a:close, 'bnW')
endfunction

" Where what a line holds begins: behind its label, if it has one and more, and that of a record if only those count.
function! s:Base(number, records) abort
  let label = a:records ? '\v^\s*(value|quadratic):\s*\ze\S' : '\v^\s*\k+(\[[^]]*\])?:\s*\ze\S'
  let behind = matchend(s:Text(a:number), label)
  return behind > 0 ? behind : indent(a:number)
endfunction

" The first line of what the given line belongs to: above it are lines that go on, and lines with brackets still open.
function! s:First(number) abort
  let first = a:number
  while 1
    let opener = s:Opener(first, '[([]', '[)\]]')
    let before = prevnonblank(first - 1)
    if opener > 0
      let first = opener
    elseif before > 0 && s:Text(before) =~# s:goes_on
      let first = before
    else
      return first
    endif
  endwhile
endfunction

function! DppIndent(number) abort
  let above = prevnonblank(a:number - 1)
  if above == 0
    return 0
  endif
  let line = getline(a:number)
  let opener = s:Opener(a:number, '[([]', '[)\]]')
  if opener > 0
    let inside = s:Base(opener, 1) + shiftwidth()
    if line =~# '\v^\s*[)\]]'
      return inside - shiftwidth()
    endif
    return above != opener && s:Text(above) =~# '\v[-+*/@^=<>]\s*$' ? inside + shiftwidth() : inside
  endif
  if line =~# '\v^\s*}'
    let opener = s:Opener(a:number, '{', '}')
    return opener > 0 ? indent(opener) : 0
  endif
  let text = s:Text(above)
  let first = s:First(above)
  if text =~# s:goes_on
    if first < above || s:Base(first, 0) > indent(first)
      return first < above ? indent(above) : s:Base(first, 0)
    endif
    let before = prevnonblank(first - 1)
    return indent(first) + (before > 0 && s:Text(before) =~# '\v:\s*$' ? shiftwidth() : 0)
  endif
  let indent = indent(first)
  if text =~# '\v\{\s*$' || text =~# s:alone
    let indent += shiftwidth()
  elseif first > 1 && s:Text(prevnonblank(first - 1)) =~# '\v^\s*(\k+(\[[^]]*\])?:|minimize|maximize)\s*$'
    let indent -= shiftwidth()
  endif
  if line =~# '\v^\s*return>' || (line =~# '\v^\s*(func|atom)>' && indent > 0)
    let indent -= shiftwidth()
  endif
  return max([indent, 0])
endfunction
