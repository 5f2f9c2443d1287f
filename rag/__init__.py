"""PaperChat's library: question answering over paper abstracts, with proof for every sentence."""
