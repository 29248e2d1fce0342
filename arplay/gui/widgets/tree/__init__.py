"""The history as pictures: branches with their text, and blocks as high as a way is probable."""
