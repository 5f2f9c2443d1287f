"""The faces of PaperChat: the web page and the command line."""
