def manual(defs, rows): return ""
