" Made by `python -m editors.generate` from the lists of the language: change those, not this file.
if exists("b:current_syntax")
  finish
endif
let s:cpo = &cpo
set cpo&vim

syn case match
syn iskeyword @,48-57,_,192-255
syn sync minlines=200

syn match dppOperator /\v!\=|\<\<|\<\=|\=\=|\>\=|\>\>|\<|\>|\*|\+|\-|\/|\@|\^|\=|\'/
syn match dppNumber /\v(\k)@1<!(\d[0-9_]*(\.(\.)@!\d*)?|\.\d[0-9_]*)([eE][+-]?\d+)?/
syn match dppConstant /\v<inf>/
syn match dppCall /\v<\K\k*\ze\s*\(/
syn match dppJoint /\v([-+*\/@^=<>,(\[:{]\s*)@30<!<(and|for|if|in|or|where)>/
syn match dppCall /\v([-+*\/@^=<>,(\[:{]\s*)@30<=<where>\ze\s*\(/
syn match dppCall /\v^\s*\zs<where>\ze\s*\(/
syn match dppCall /\v(<(minimize|maximize|return|test|and|or|not)\s+)@12<=<where>\ze\s*\(/
syn match dppJoint /\v<dual>\ze\s+(<(and|for|if|import|in|or|where)>)@!\K/
syn match dppJoint /\v([(,]\s*|<(if|and|or)\s+|<requires:\s*)@12<=<not>\ze(\s+(<(and|for|if|import|in|or|where)>)@!\K|\s*[0-9.(\[+-])/
syn match dppJoint /\v<not>\ze\s+in>/
syn match dppAttribute /\v(\k|[)\]'])@1<=\s+\zs<(nonneg|pos|nonpos|neg|psd|nsd|symmetric|diagonal)>\ze(\s*\()@!/
syn match dppAttribute /\v(\k|[)\]'])@1<=\s+\zs<(sparse)>/
syn match dppCone /\v(([)\]']|\k)\s*<in\s+)@20<=<(nonneg|nonpos|zero|soc|rsoc|exp_cone|pow_cone|psd|nsd|rotated_soc|ball|box|simplex)>\ze(\s*(#|$|[(,}])|\s+(<(and|for|if|import|in|or|where)>)@!\K)/
syn match dppFunction /\v(<(func|atom)\s+)@9<=\K\k*/
syn match dppDeclarator /\v<(dim|data|param|var|derived|let|func|atom)>\ze\s+(<(and|for|if|import|in|or|where)>)@!\K/
syn match dppJoint /\v([(,]\s*)@9<=<(const|param)>\ze\s+(<(and|for|if|import|in|or|where)>)@!\K/
syn match dppJoint /\v^\s*\zs<(const)>\ze\s+(<(and|for|if|import|in|or|where)>)@!\K/
syn match dppDeclarator /\v^\s*\zs(dim|data|param|var|derived|let)>\ze\s*(#|$)/
syn match dppKeyword /\v(^|[0-9A-Za-z_)\]'}{\"])@1<=\s*\zs<(minimize|maximize|return)>\ze(\s+(<(and|for|if|import|in|or|where)>)@!\K|\s*[0-9.(\[+-])/
syn match dppKeyword /\v^\s*\zs(minimize|maximize|return)>\ze\s*(#|$)/
syn match dppKeyword /\v(^|[0-9A-Za-z_)\]'}{\"])@1<=\s*\zs<subject\s+to>/
syn match dppKeyword /\v(^|[0-9A-Za-z_)\]'}{\"])@1<=\s*\zs<find>\ze\s*(#|$|\}|subject)/
syn match dppLabel /\v^\s*\zs\K\k*\ze\s*(\[[^\[\]#]*(\[[^\[\]#]*\][^\[\]#]*)*\])=\s*:/
syn match dppLabel /\v(<subject\s+to\s+)@14<=\K\k*\ze\s*(\[[^\[\]#]*(\[[^\[\]#]*\][^\[\]#]*)*\])=\s*:/
syn match dppImport /\v<from>\ze\s*\"/
syn match dppImport /\v("\s*)@5<=<import>/
syn region dppString start=/"/ end=/"/ end=/$/ oneline

syn cluster dppTop contains=dppComment,dppDoc,dppDeclarator,dppKeyword,dppJoint,dppImport,dppFunction,dppCall,dppLabel,dppAttribute,dppCone,dppNumber,dppConstant,dppString,dppOperator
syn region dppRecord matchgroup=dppBrace start="{" end="}" contains=@dppTop,dppEntry,dppFact,dppGraph
syn region dppGraph matchgroup=dppEntry start="\v<graph>\ze\s*\{" matchgroup=dppBrace end="}" contained contains=@dppTop
syn match dppEntry /\v^\s*\zs(kind|variadic|curvature|sign|monotone|shape|requires|domain|value|quadratic)\ze\s*:/ contained
syn match dppEntry /\v^\s*\zstest>\ze(\s+(<(and|for|if|import|in|or|where)>)@!\K|\s*[0-9.(\[+-])/ contained
syn match dppFact /\v(^\s*(kind|variadic|curvature|sign|monotone):[^#]*)@<=([:,]\s*)@9<=<(elementwise|reduction|plain|set|constant|affine|convex|concave|unknown|increasing|decreasing|zero|nonneg|nonpos|yes|no)>/ contained
syn match dppFact /\v(,\s*)@9<=<(elementwise|reduction|plain|set|constant|affine|convex|concave|unknown|increasing|decreasing|zero|nonneg|nonpos|yes|no)>\ze\s+<(in|where)>/ contained
syn match dppFact /\v^\s+\zs(elementwise|reduction|plain|set|constant|affine|convex|concave|unknown|increasing|decreasing|zero|nonneg|nonpos|yes|no)>\ze\s*(<(in|where)>|,|#|$)/ contained

syn match dppComment "#.*" contains=dppTodo,@Spell
syn match dppDoc "##.*" contains=dppDocCode,dppTodo,@Spell
syn match dppDocCode "`[^`]\+`" contained contains=@NoSpell
syn keyword dppTodo TODO FIXME XXX contained

hi def link dppComment Comment
hi def link dppDoc SpecialComment
hi def link dppDocCode Special
hi def link dppTodo Todo
hi def link dppDeclarator StorageClass
hi def link dppKeyword Statement
hi def link dppEntry Statement
hi def link dppJoint Operator
hi def link dppImport Include
hi def link dppFunction Function
hi def link dppCall Function
hi def link dppLabel Label
hi def link dppAttribute Type
hi def link dppFact Type
hi def link dppCone Type
hi def link dppNumber Number
hi def link dppConstant Constant
hi def link dppString String
hi def link dppOperator Operator

let b:current_syntax = "dpp"
let &cpo = s:cpo
unlet s:cpo
