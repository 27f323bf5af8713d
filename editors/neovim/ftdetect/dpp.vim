autocmd BufNewFile,BufRead *.dpp setfiletype dpp
