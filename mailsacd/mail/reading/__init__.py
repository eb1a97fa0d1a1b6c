"""Reading stored mail: who may see what, lists, single messages, marks, maildrops."""
